"""Secrets of chat, mail, office, payment, shop, map and monitoring services.

The shapes are documented by the vendors or taken from the rule sets of gitleaks and TruffleHog.
"""

from ledger.capture.secrets.rules.rule import beside, long, text, word

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

RULES = (
    # Chat
    word(
        "slack-token",
        "xoxa- xoxb- xoxc- xoxd- xoxe- xoxe.xoxb- xoxe.xoxp- xoxo- xoxp- xoxr- xoxs- xapp-",
        r"[A-Za-z0-9\-%+/=]{10,}",
    ),
    text(
        "slack-webhook",
        "hooks.slack.com",
        rb"hooks\.slack\.com\\{0,1}/(?P<secret>(?:services|workflows|triggers)\\{0,1}/[A-Za-z0-9+/\\]{20,})",
        inside=True,
    ),
    text(
        "discord-webhook",
        "discord.com/api discordapp.com/api",
        rb"discord(?:app)?\.com/api(?:/v[0-9]{1,2})?/webhooks/(?P<secret>[0-9]{17,20}/[A-Za-z0-9_\-]{60,})",
        inside=True,
    ),
    long(
        "discord-token",
        ".",
        r"[MNO][A-Za-z0-9_\-]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}(?![A-Za-z0-9_\-.])",
        "mixed",
    ),
    word("discord-token", "mfa.", r"[A-Za-z0-9_\-]{80,}"),
    text(
        "telegram-token",
        ":AA",
        rb"(?<![A-Za-z0-9])[0-9]{8,10}:AA[A-Za-z0-9_\-]{32,33}(?![A-Za-z0-9_\-])",
        before=("0-9", 10),
        inside=True,
    ),
    text("telegram-token", "/bot", rb"/bot(?P<secret>[0-9]{8,10}:[A-Za-z0-9_\-]{35})", inside=True),
    text(
        "teams-webhook",
        ".webhook.office.com",
        rb"\.webhook\.office\.com/webhookb2/(?P<secret>[0-9a-f\-]{36}@[0-9a-f\-]{36}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f\-]{36})",
        inside=True,
    ),
    text(
        "google-chat-webhook",
        "chat.googleapis.com",
        rb"chat\.googleapis\.com/v1/spaces/[A-Za-z0-9_\-]{1,40}/messages\?(?P<secret>key=[A-Za-z0-9_\-&=%]{40,})",
    ),
    text(
        "zoom-webhook", "inbots.zoom.us", rb"inbots\.zoom\.us/incoming/hook/(?P<secret>[A-Za-z0-9_\-]{24})", inside=True
    ),
    beside("mattermost-token", "mattermost", "[a-z0-9]{26}"),
    beside("twitch-token", "twitch", "[a-z0-9]{30}"),
    text("twitch-token", "oauth:", rb"(?<![A-Za-z0-9])oauth:[a-z0-9]{30}(?![A-Za-z0-9])", inside=True),
    beside("twitter-token", "twitter", "[A-Za-z0-9]{35,50}"),
    text("twitter-token", "AAAAAAAAAAAAAAAAAAAAA", rb"(?<![A-Za-z0-9])A{21,22}[A-Za-z0-9%]{60,100}", inside=True),
    word("square-token", "EAAA", r"[A-Za-z0-9_\-]{60}(?![A-Za-z0-9_\-])", "mixed"),
    word("facebook-token", "EAA EAACEdEose0cBA", r"[A-Za-z0-9]{40,}", "mixed"),
    word("instagram-token", "IGQ IGA", r"[A-Za-z0-9_\-]{50,}", "mixed"),
    word("linkedin-secret", "WPL_AP1.", r"[A-Za-z0-9]{16}\.[A-Za-z0-9+/]{6,8}={0,2}"),
    beside("linkedin-secret", "linkedin", "[A-Za-z0-9]{16}"),
    # Mail and messages
    word("sendgrid-key", "SG.", r"[A-Za-z0-9_\-]{16,32}\.[A-Za-z0-9_\-]{30,64}"),
    word("twilio-key", "SK AC", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    word("mailgun-key", "key- pubkey-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    text(
        "mailchimp-key",
        "-us",
        rb"(?<![A-Za-z0-9])[0-9a-f]{32}-us[0-9]{1,2}(?![A-Za-z0-9])",
        before=("0-9a-f", 32),
        inside=True,
    ),
    word("brevo-key", "xkeysib- xsmtpsib-", r"[0-9a-f]{64}-[A-Za-z0-9]{16}"),
    word("mailersend-token", "mlsn.", r"[a-f0-9]{64}"),
    beside("messagebird-key", "messagebird", "[A-Za-z0-9]{25}"),
    beside("postmark-token", "postmark", _UUID),
    word("lob-key", "live_ test_ live_pub_ test_pub_", r"[a-f0-9]{31,35}(?![A-Za-z0-9])", "digit"),
    beside("vonage-secret", "nexmo", "[A-Za-z0-9]{16}"),
    word("onesignal-key", "os_v2_app_ os_v2_org_", r"[a-z2-7]{60,}"),
    # Office
    word("linear-key", "lin_api_ lin_oauth_", r"[A-Za-z0-9]{40,}"),
    word("notion-token", "ntn_", r"[A-Za-z0-9]{40,}"),
    word("notion-token", "secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])", "digit"),
    word("figma-token", "figd_ figo_ figor_ figu_", r"[A-Za-z0-9_\-]{36,}", "digit"),
    word("airtable-token", "pat", r"[A-Za-z0-9]{14}\.[a-f0-9]{64}"),
    word("atlassian-token", "ATATT3 ATCTT3", r"[A-Za-z0-9_\-=]{40,}", "mixed"),
    beside("atlassian-token", "jira", "[A-Za-z0-9]{24}"),
    beside("atlassian-token", "confluence", "[A-Za-z0-9]{24}"),
    word("clickup-token", "pk_", r"[0-9]{7,9}_[A-Z0-9]{32}"),
    word("typeform-token", "tfp_", r"[A-Za-z0-9_\-.=]{40,}", "digit"),
    word("monday-token", "eyJhbGciOiJIUzI1NiJ9.", r"[A-Za-z0-9_\-.]{40,}"),
    word("dropbox-token", "sl. sl.u.", r"[A-Za-z0-9_\-=]{100,}"),
    word("adobe-secret", "p8e-", r"[A-Za-z0-9_\-]{32}(?![A-Za-z0-9])"),
    word("hubspot-token", "pat-na1- pat-na2- pat-eu1- pat-ap1-", _UUID),
    word("intercom-token", "dG9rO", r"[A-Za-z0-9+/=]{50,}"),
    beside("zendesk-key", "zendesk", "[A-Za-z0-9]{40}"),
    text(
        "zapier-webhook",
        "hooks.zapier.com",
        rb"hooks\.zapier\.com/hooks/catch/(?P<secret>[A-Za-z0-9]{4,10}/[A-Za-z0-9]{5,12})",
        inside=True,
    ),
    text("salesforce-token", "00D", rb"(?<![A-Za-z0-9])00D[A-Za-z0-9]{12,15}![A-Za-z0-9_.]{60,120}", inside=True),
    beside("freshbooks-token", "freshbooks", "[a-z0-9]{64}"),
    beside("okta-token", "okta", r"00[A-Za-z0-9_\-]{40}"),
    word("frameio-token", "fio-u-", r"[A-Za-z0-9_\-=]{64}"),
    # Money and shops
    word("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_ pk_live_ pk_test_", r"[A-Za-z0-9]{16,}"),
    word("stripe-key", "whsec_", r"[A-Za-z0-9+/=]{24,}"),
    word("square-token", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_\-]{22,}", "digit"),
    text(
        "paypal-token",
        "access_token$production$",
        rb"access_token\$production\$[a-z0-9]{16}\$[a-f0-9]{32}",
        inside=True,
    ),
    text(
        "braintree-token", "access_token$sandbox$", rb"access_token\$sandbox\$[a-z0-9]{16}\$[a-f0-9]{32}", inside=True
    ),
    word("plaid-token", "access-sandbox- access-development- access-production-", _UUID),
    word("shopify-token", "shpat_ shpss_ shpca_ shppa_ shpua_", r"[a-fA-F0-9]{32}"),
    text(
        "flutterwave-key",
        "FLWSECK FLWPUBK",
        rb"(?<![A-Za-z0-9])FLW(?:SEC|PUB)K(?:_TEST)?-[A-Za-z0-9]{32,}(?:-X)?",
        inside=True,
    ),
    word("razorpay-key", "rzp_live_ rzp_test_", r"[A-Za-z0-9]{14}(?![A-Za-z0-9])"),
    word("adyen-key", "AQE", r"[A-Za-z0-9+/]{4,10}[A-Za-z0-9+/=\-]{60,}", "mixed"),
    word("shippo-token", "shippo_live_ shippo_test_", r"[a-f0-9]{40}"),
    word("easypost-key", "EZAK EZTK", r"[A-Za-z0-9]{54}"),
    word("duffel-token", "duffel_test_ duffel_live_", r"[A-Za-z0-9_\-=]{43}"),
    word("gocardless-token", "live_ sandbox_", r"[A-Za-z0-9_\-=]{40}(?![A-Za-z0-9])", "mixed"),
    beside("coinbase-secret", "coinbase", r"[A-Za-z0-9_\-]{64}"),
    # Maps and content
    word("mapbox-token", "sk.eyJ pk.eyJ tk.eyJ", r"[A-Za-z0-9_\-]{30,}\.[A-Za-z0-9_\-]{20,}"),
    word("intra42-secret", "s-s4t2ud- s-s4t2af-", r"[a-f0-9]{64}"),
    # Monitoring
    word("grafana-token", "glsa_", r"[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}"),
    word("grafana-token", "glc_", r"[A-Za-z0-9+/=]{32,}"),
    word("grafana-key", "eyJrIjoi", r"[A-Za-z0-9+/=_\-]{40,}"),
    word("newrelic-key", "NRAK- NRBR- NRIQ- NRRA- NRSP- NRAA-", r"[A-Z0-9a-f]{19,}", "digit"),
    word("newrelic-key", "NRJS- NRII-", r"[A-Za-z0-9_\-]{19,}", "digit"),
    text(
        "newrelic-key", "NRAL", rb"(?<![A-Za-z0-9])[a-f0-9]{36}NRAL(?![A-Za-z0-9])", before=("0-9a-f", 36), inside=True
    ),
    word("sentry-token", "sntrys_", r"[A-Za-z0-9+/=_\-]{40,}"),
    word("sentry-token", "sntryu_ sntrya_ sntryi_", r"[a-f0-9]{64}"),
    text(
        "sentry-dsn",
        "sentry.io",
        rb"https?://(?P<secret>[0-9a-f]{32})(?::[0-9a-f]{32})?@[A-Za-z0-9.\-]{0,40}sentry\.io",
        before=("A-Za-z0-9:/@.-", 120),
        inside=True,
    ),
    word("dynatrace-token", "dt0c01. dt0s01. dt0s02. dt0s08. dt0s16.", r"[A-Z0-9]{8,24}\.[A-Z0-9]{40,64}"),
    beside("datadog-key", "datadog", "[a-f0-9]{32,40}"),
    beside("pagerduty-key", "pagerduty", r"[A-Za-z0-9_+\-]{20}"),
    word("pagerduty-key", "pdus+ pdeu+", r"[A-Za-z0-9_+\-]{20,}"),
    beside("opsgenie-key", "opsgenie", _UUID),
    word("honeycomb-key", "hcaik_ hcbik_ hcalk_ hcxik_ hcxmk_", r"[a-z0-9]{30,}"),
    word("posthog-key", "phc_ phx_ phs_", r"[A-Za-z0-9]{30,}"),
    word("logfire-token", "pylf_v1_us_ pylf_v1_eu_ pylf_v2_us_", r"[A-Za-z0-9]{30,}"),
    word("statsig-key", "secret- client- console-", r"[A-Za-z0-9]{42,46}(?![A-Za-z0-9])", "mixed"),
)
