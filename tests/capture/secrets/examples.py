"""Every kind of secret with a text that must lose it and a look-alike that must not change, as descriptions.

The texts are made by `secret_texts.made`, so that no line here looks like a secret to anybody's scanner.
"""

_TABLE = """
1password-key ¦ A3-{U6}-{U11}-{U5}-{U5}-{U5} ¦ A3-configuration
1password-token ¦ ops_eyJ{b40} ¦ ops_eyJconfiguration
adobe-secret ¦ p8e-{w32} ¦ p8e-configuration
adyen-key ¦ AQE{b4}{b60} ¦ AQEconfiguration
age-key ¦ AGE-SECRET-KEY-1{z40} ¦ AGE-SECRET-KEY-1configuration
age-key ¦ AGE-SECRET-KEY-PQ-1{z40} ¦ AGE-SECRET-KEY-PQ-1configuration
airtable-token ¦ pat{a14}.{h64} ¦ patconfiguration
aiven-token ¦ aivenv1{b40} ¦ aivenv1configuration
algolia-key ¦ algolia_key: {h32} ¦ algolia at {h32}
alibaba-key ¦ LTAI{a16} ¦ LTAIconfiguration
anaconda-token ¦ an-{h8}-{h4}-{h4}-{h4}-{h12} ¦ an-configuration
anthropic-key ¦ sk-ant-{w24} ¦ sk-ant-configuration
anyscale-key ¦ esecret_{a24} ¦ esecret_configuration
anyscale-token ¦ aph0_{b40} ¦ aph0_configuration
anyscale-token ¦ aph1_{b40} ¦ aph1_configuration
api-key ¦ sk-{w24} ¦ sk-configuration
api-key ¦ sk-{l32} ¦ sk-configuration
artifactory-key ¦ AKCp{a60} ¦ AKCpconfiguration
artifactory-key ¦ AKCs{a60} ¦ AKCsconfiguration
artifactory-key ¦ artifactory_key: {a64} ¦ artifactory at {a64}
artifactory-token ¦ cmVmdGtuOj{a40} ¦ cmVmdGtuOjconfiguration
artifactory-token ¦ cmVmdGtu{a40} ¦ cmVmdGtuconfiguration
assemblyai-key ¦ assemblyai_key: {h32} ¦ assemblyai at {h32}
atlassian-token ¦ ATATT3{a40} ¦ ATATT3configuration
atlassian-token ¦ ATCTT3{a40} ¦ ATCTT3configuration
atlassian-token ¦ jira_key: {a24} ¦ jira at {a24}
atlassian-token ¦ confluence_key: {a24} ¦ confluence at {a24}
authorization ¦ Authorization: Basic {a20}== ¦ Authorization: required
aws-access-key ¦ AKIA{U16} ¦ AKIAconfiguration
aws-access-key ¦ ASIA{U16} ¦ ASIAconfiguration
aws-bedrock-key ¦ ABSK{b100} ¦ ABSKconfiguration
aws-bedrock-key ¦ bedrock-api-key-{b40} ¦ bedrock-api-key-configuration
aws-secret-key ¦ aws secret {b40} ¦ aws commit {h40}
aws-secret-key ¦ AKIA{U16},{b40} ¦ AKIA,{h40}
aws-session-token ¦ FwoGZXIvYXdz{b40} ¦ FwoGZXIvYXdzconfiguration
aws-session-token ¦ IQoJb3JpZ2lu{b40} ¦ IQoJb3JpZ2luconfiguration
azure-devops-token ¦ {a76}AZDO{a4} ¦ AZDO{a4}
azure-key ¦ AccountName=ada;AccountKey={b86}== ¦ AccountKey=<key>
azure-key ¦ {b76}+AMC{b6}== ¦ a+AMC+b
azure-openai-key ¦ {a52}JQQJ99{a26} ¦ JQQJ99{a26}
azure-secret ¦ {a3}8Q~{a34} ¦ 8Q~short
backblaze-key ¦ K00{d1}{b27} ¦ K00configuration
baseten-key ¦ baseten_key: {a8}.{a32} ¦ baseten at {a8}.{a32}
bearer-token ¦ curl -H bearer {a40} ¦ bearer of the news
bitbucket-token ¦ ATBB{a28} ¦ ATBBconfiguration
bitbucket-token ¦ ATCTT3xFf{a28} ¦ ATCTT3xFfconfiguration
bitbucket-token ¦ BBDC-{b40} ¦ BBDC-configuration
bitwarden-token ¦ 0.{h8}-{h4}-{h4}-{h4}-{h12}.{a30}:{b22}== ¦ 0.{d16}
braintree-token ¦ access_token$sandbox${l16}${h32} ¦ access_token$sandbox$none
braintrust-key ¦ sk-bt-{a30} ¦ sk-bt-configuration
braintrust-key ¦ bt-st-{a30} ¦ bt-st-configuration
brevo-key ¦ xkeysib-{h64}-{a16} ¦ xkeysib-configuration
brevo-key ¦ xsmtpsib-{h64}-{a16} ¦ xsmtpsib-configuration
brightdata-token ¦ brightdata_key: {h36} ¦ brightdata at {h36}
buildkite-token ¦ bkua_{a40} ¦ bkua_configuration
buildkite-token ¦ bkpt_{a40} ¦ bkpt_configuration
cerebras-key ¦ csk-{l40} ¦ csk-configuration
circleci-token ¦ CCIPAT_{a18}_{h40} ¦ CCIPAT_configuration
circleci-token ¦ CCIPRJ_{a18}_{h40} ¦ CCIPRJ_configuration
circleci-token ¦ circle_key: {h40} ¦ circle at {h40}
clearml-key ¦ clearml_key: {a20} ¦ clearml at {a20}
clickup-token ¦ pk_{d7}_{U32} ¦ pk_configuration
client-key ¦ client-key-data: {b40} ¦ client-key-data: file
clojars-token ¦ CLOJARS_{a60} ¦ CLOJARS_configuration
cloudflare-key ¦ v1.0-{h24}-{h146} ¦ v1.0-configuration
cloudflare-token ¦ cfut_{w36} ¦ cfut_configuration
cloudflare-token ¦ cfat_{w36} ¦ cfat_configuration
cloudflare-token ¦ cloudflare_key: {w37} ¦ cloudflare at {w37}
cloudsmith-key ¦ csm_{h30} ¦ csm_configuration
cloudsmith-key ¦ csa_{h30} ¦ csa_configuration
codeberg-token ¦ codeberg_key: {h40} ¦ codeberg at {h40}
cohere-key ¦ cohere_key: {a40} ¦ cohere at {a40}
coinbase-secret ¦ coinbase_key: {w64} ¦ coinbase at {w64}
comet-key ¦ comet_key: {a25} ¦ comet at {a25}
conda-token ¦ https://conda.anaconda.org/t/ad-{h8}-{l16}/x ¦ https://conda.anaconda.org/t/stable/x
confluent-secret ¦ cflt{b56} ¦ cfltconfiguration
confluent-secret ¦ confluent_key: {b64} ¦ confluent at {b64}
cookie ¦ Cookie: sid={l26}; theme=dark ¦ cookie: accepted
coveralls-token ¦ coveralls_key: {a32} ¦ coveralls at {a32}
crates-token ¦ cio{a32} ¦ cioconfiguration
dagshub-token ¦ dhp_{h30} ¦ dhp_configuration
databricks-token ¦ dapi{h32} ¦ dapiconfiguration
databricks-token ¦ dkea{h32} ¦ dkeaconfiguration
databricks-token ¦ dose{h32} ¦ doseconfiguration
datadog-key ¦ datadog_key: {h32} ¦ datadog at {h32}
deepgram-key ¦ deepgram_key: {h40} ¦ deepgram at {h40}
deepseek-key ¦ sk-{h32} ¦ sk-configuration
determined-token ¦ determined_key: v2.public.{w40} ¦ determined at v2.public.{w40}
digitalocean-key ¦ ams3.digitaloceanspaces.com {b43} ¦ ams3.digitaloceanspaces.com/images
digitalocean-token ¦ dop_v1_{h64} ¦ dop_v1_configuration
digitalocean-token ¦ doo_v1_{h64} ¦ doo_v1_configuration
discord-token ¦ mfa.{w80} ¦ mfa.configuration
discord-token ¦ M{a23}.{w6}.{w38} ¦ Module.layer.weight.of.the.first.block
discord-webhook ¦ https://discord.com/api/webhooks/{d18}/{w68} ¦ https://discord.com/api/webhooks/help
docker-token ¦ dckr_pat_{w28} ¦ dckr_pat_configuration
docker-token ¦ dckr_oat_{w28} ¦ dckr_oat_configuration
doppler-token ¦ dp.pt.{a40} ¦ dp.pt.configuration
doppler-token ¦ dp.st.{a40} ¦ dp.st.configuration
drone-token ¦ drone_key: {a32} ¦ drone at {a32}
dropbox-token ¦ sl.{a100} ¦ sl.configuration
dropbox-token ¦ sl.u.{a100} ¦ sl.u.configuration
duffel-token ¦ duffel_test_{a43} ¦ duffel_test_configuration
duffel-token ¦ duffel_live_{a43} ¦ duffel_live_configuration
dynatrace-token ¦ dt0c01.{U8}.{U40} ¦ dt0c01.configuration
dynatrace-token ¦ dt0s01.{U8}.{U40} ¦ dt0s01.configuration
e2b-key ¦ e2b_{h40} ¦ e2b_configuration
easypost-key ¦ EZAK{a54} ¦ EZAKconfiguration
easypost-key ¦ EZTK{a54} ¦ EZTKconfiguration
elastic-key ¦ essu_{b30} ¦ essu_configuration
elastic-key ¦ header ApiKey {w60} ¦ header ApiKey needed_for_this_route_of_ours
elevenlabs-key ¦ sk_{h40} ¦ sk_configuration
exoscale-key ¦ EXO{h24} ¦ EXOconfiguration
facebook-token ¦ EAA{a40} ¦ EAAconfiguration
facebook-token ¦ EAACEdEose0cBA{a40} ¦ EAACEdEose0cBAconfiguration
fastly-token ¦ fastly_key: {w32} ¦ fastly at {w32}
figma-token ¦ figd_{w36} ¦ figd_configuration
figma-token ¦ figo_{w36} ¦ figo_configuration
firebase-key ¦ AAAA{a7}:APA91b{w134} ¦ AAAA:APA91b
firecrawl-key ¦ fc-{h32} ¦ fc-configuration
fireworks-key ¦ fw_{a24} ¦ fw_configuration
flutterwave-key ¦ FLWSECK-{a32}-X ¦ FLWSECK-none
frameio-token ¦ fio-u-{a64} ¦ fio-u-configuration
freshbooks-token ¦ freshbooks_key: {l64} ¦ freshbooks at {l64}
friendli-token ¦ flp_{a30} ¦ flp_configuration
gitea-token ¦ gitea_key: {h40} ¦ gitea at {h40}
gitea-token ¦ forgejo_key: {h40} ¦ forgejo at {h40}
github-key ¦ v1.{h40} ¦ v1.configuration
github-token ¦ ghp_{a36} ¦ ghp_configuration
github-token ¦ gho_{a36} ¦ gho_configuration
github-token ¦ github_pat_{a26} ¦ github_pat_configuration
gitlab-session ¦ _gitlab_session={h32} ¦ _gitlab_session=none
gitlab-token ¦ glpat-{a24} ¦ glpat-configuration
gitlab-token ¦ gldt-{a24} ¦ gldt-configuration
gitlab-token ¦ GR1348941{w24} ¦ GR1348941configuration
gocardless-token ¦ live_{a40} ¦ live_configuration
gocardless-token ¦ sandbox_{a40} ¦ sandbox_configuration
google-api-key ¦ AIza{w35} ¦ AIzaconfiguration
google-chat-webhook ¦ https://chat.googleapis.com/v1/spaces/AAAA/messages?key={w39}&token={w43} ¦ https://chat.googleapis.com/v1/spaces/AAAA
google-client-secret ¦ GOCSPX-{w24} ¦ GOCSPX-configuration
google-hmac-key ¦ GOOG1E{U20} ¦ GOOG1Econfiguration
google-hmac-key ¦ GOOG{U20} ¦ GOOGconfiguration
google-key-id ¦ "private_key_id": "{h40}" ¦ "private_key_id": "none"
google-refresh-token ¦ 1//0{w40} ¦ https://example.org//0
google-token ¦ ya29.{a24} ¦ ya29.configuration
google-token ¦ ya29.c.{a24} ¦ ya29.c.configuration
grafana-key ¦ eyJrIjoi{b40} ¦ eyJrIjoiconfiguration
grafana-token ¦ glsa_{a32}_{h8} ¦ glsa_configuration
grafana-token ¦ glc_{b32} ¦ glc_configuration
groq-key ¦ gsk_{a40} ¦ gsk_configuration
harness-token ¦ pat.{w22}.{a24}.{a20} ¦ pat.configuration
harness-token ¦ sat.{w22}.{a24}.{a20} ¦ sat.configuration
helicone-key ¦ sk-helicone-{l24} ¦ sk-helicone-configuration
helicone-key ¦ pk-helicone-{l24} ¦ pk-helicone-configuration
heroku-key ¦ heroku_key: {h8}-{h4}-{h4}-{h4}-{h12} ¦ heroku at {h8}-{h4}-{h4}-{h4}-{h12}
heroku-key ¦ HRKU-{w36} ¦ HRKU-configuration
hetzner-token ¦ hetzner_key: {a64} ¦ hetzner at {a64}
hetzner-token ¦ hcloud_key: {a64} ¦ hcloud at {a64}
honeycomb-key ¦ hcaik_{l30} ¦ hcaik_configuration
honeycomb-key ¦ hcbik_{l30} ¦ hcbik_configuration
hubspot-token ¦ pat-na1-{h8}-{h4}-{h4}-{h4}-{h12} ¦ pat-na1-configuration
hubspot-token ¦ pat-na2-{h8}-{h4}-{h4}-{h4}-{h12} ¦ pat-na2-configuration
huggingface-token ¦ hf_{a30} ¦ hf_configuration
huggingface-token ¦ api_org_{a30} ¦ api_org_configuration
huggingface-token ¦ hf_jwt_{a30} ¦ hf_jwt_configuration
huggingface-token ¦ hf_oauth_{a30} ¦ hf_oauth_configuration
ibm-key ¦ ibm_key: {w44} ¦ ibm at {w44}
infisical-token ¦ st.{h24}.{h32}.{h32} ¦ st.configuration
influxdb-token ¦ apiv3_{w40} ¦ apiv3_configuration
influxdb-token ¦ influx_key: {w86}== ¦ influx at {w86}==
infracost-key ¦ ico-{a32} ¦ ico-configuration
instagram-token ¦ IGQ{w50} ¦ IGQconfiguration
instagram-token ¦ IGA{w50} ¦ IGAconfiguration
intercom-token ¦ dG9rO{b50} ¦ dG9rOconfiguration
intra42-secret ¦ s-s4t2ud-{h64} ¦ s-s4t2ud-configuration
intra42-secret ¦ s-s4t2af-{h64} ¦ s-s4t2af-configuration
jenkins-token ¦ jenkins_key: {h32} ¦ jenkins at {h32}
jfrog-key ¦ jfrog_key: {a64} ¦ jfrog at {a64}
jina-key ¦ jina_{w40} ¦ jina_configuration
jwt ¦ eyJ{a20}.eyJ{a40}.{w43} ¦ eyJ.eyJ.x
jwt ¦ eyJ{a40}..{w16}.{w60}.{w22} ¦ eyJ..x
k3s-token ¦ K10{h64}::server:{h32} ¦ K10::server:x
k8s-token ¦ eyJhbGciOiJSUzI1NiIsImtpZCI6{w14}.{w24} ¦ eyJhbGciOiJSUzI1NiIsImtpZCI6configuration
kaggle-key ¦ kaggle_key: {h32} ¦ kaggle at {h32}
kaggle-key ¦ {"username":"ada","key":"{h32}"} ¦ {"username":"ada","key":"name"}
kaggle-token ¦ KGAT_{h32} ¦ KGAT_configuration
kubeadm-token ¦ kubeadm join 10.0.0.1:6443 --token {l6}.{l16} ¦ kubeadm join 10.0.0.1:6443
label-studio-token ¦ label studio_key: {h40} ¦ label studio at {h40}
label-studio-token ¦ label_studio_key: {h40} ¦ label_studio at {h40}
labelbox-key ¦ eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.{a30} ¦ eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.configuration
lambda-key ¦ secret_{l3}_{a30} ¦ secret_configuration
langfuse-key ¦ sk-lf-{h8}-{h24} ¦ sk-lf-configuration
langfuse-key ¦ pk-lf-{h8}-{h24} ¦ pk-lf-configuration
langsmith-key ¦ lsv2_pt_{h32} ¦ lsv2_pt_configuration
langsmith-key ¦ lsv2_sk_{h32} ¦ lsv2_sk_configuration
launchdarkly-key ¦ sdk-{h8}-{h4}-{h4}-{h4}-{h12} ¦ sdk-configuration
launchdarkly-key ¦ api-{h8}-{h4}-{h4}-{h4}-{h12} ¦ api-configuration
linear-key ¦ lin_api_{a40} ¦ lin_api_configuration
linear-key ¦ lin_oauth_{a40} ¦ lin_oauth_configuration
linkedin-secret ¦ WPL_AP1.{a16}.{b6} ¦ WPL_AP1.configuration
linkedin-secret ¦ linkedin_key: {a16} ¦ linkedin at {a16}
linode-token ¦ lin_pat_{h40} ¦ lin_pat_configuration
litellm-key ¦ sk-litellm-{w20} ¦ sk-litellm-configuration
lob-key ¦ live_{h31} ¦ live_configuration
lob-key ¦ test_{h31} ¦ test_configuration
logfire-token ¦ pylf_v1_us_{a30} ¦ pylf_v1_us_configuration
logfire-token ¦ pylf_v1_eu_{a30} ¦ pylf_v1_eu_configuration
luma-key ¦ luma-{h8}-{h31} ¦ luma-configuration
mailchimp-key ¦ {h32}-us12 ¦ {h16}-us12
mailersend-token ¦ mlsn.{h64} ¦ mlsn.configuration
mailgun-key ¦ key-{h32} ¦ key-configuration
mailgun-key ¦ pubkey-{h32} ¦ pubkey-configuration
mapbox-token ¦ sk.eyJ{w30}.{w24} ¦ sk.eyJconfiguration
mapbox-token ¦ pk.eyJ{w30}.{w24} ¦ pk.eyJconfiguration
mattermost-token ¦ mattermost_key: {l26} ¦ mattermost at {l26}
messagebird-key ¦ messagebird_key: {a25} ¦ messagebird at {a25}
mistral-key ¦ mistral_key: {a32} ¦ mistral at {a32}
mnemonic ¦ mnemonic: legal winner thank year wave sausage worth useful legal winner thank yellow ¦ seed: 42
modal-token ¦ ak-{a22} ¦ ak-configuration
modal-token ¦ as-{a22} ¦ as-configuration
monday-token ¦ eyJhbGciOiJIUzI1NiJ9.{a40} ¦ eyJhbGciOiJIUzI1NiJ9.configuration
mongodb-key ¦ mdb_sa_sk_{w30} ¦ mdb_sa_sk_configuration
neon-key ¦ napi_{l40} ¦ napi_configuration
neptune-token ¦ eyJhcGlfYWRkcmVzcyI6{b24} ¦ eyJhcGlfYWRkcmVzcyI6configuration
neptune-token ¦ eyJhcGlfdXJsIjoi{b24} ¦ eyJhcGlfdXJsIjoiconfiguration
netlify-token ¦ nfp_{a36} ¦ nfp_configuration
netlify-token ¦ nfc_{a36} ¦ nfc_configuration
newrelic-key ¦ NRAK-{h23} ¦ NRAK-configuration
newrelic-key ¦ NRBR-{h23} ¦ NRBR-configuration
newrelic-key ¦ NRJS-{w23} ¦ NRJS-configuration
newrelic-key ¦ NRII-{w23} ¦ NRII-configuration
newrelic-key ¦ {h36}NRAL ¦ {h16}NRAL
ngrok-token ¦ ngrok_{a31}_{a24} ¦ ngrok_configuration
notion-token ¦ ntn_{a40} ¦ ntn_configuration
notion-token ¦ secret_{a43} ¦ secret_configuration
npm-token ¦ npm_{a36} ¦ npm_configuration
npm-token ¦ //registry.example.org/:_auth=YWRhOmdhbmRhbGY= ¦ use_auth=required_by_server
nuget-key ¦ oy2{l43} ¦ oy2configuration
nvidia-key ¦ nvapi-{w40} ¦ nvapi-configuration
octopus-key ¦ API-{U29} ¦ API-configuration
okta-token ¦ okta_key: 00{w40} ¦ okta at 00{w40}
onesignal-key ¦ os_v2_app_{c60} ¦ os_v2_app_configuration
onesignal-key ¦ os_v2_org_{c60} ¦ os_v2_org_configuration
openai-key ¦ sk-proj-{w24} ¦ sk-proj-configuration
openai-key ¦ sk-svcacct-{w24} ¦ sk-svcacct-configuration
openrouter-key ¦ sk-or-v1-{h32} ¦ sk-or-v1-configuration
openrouter-key ¦ sk-or-{h32} ¦ sk-or-configuration
openshift-token ¦ sha256~{a43} ¦ sha256~{a10}
opsgenie-key ¦ opsgenie_key: {h8}-{h4}-{h4}-{h4}-{h12} ¦ opsgenie at {h8}-{h4}-{h4}-{h4}-{h12}
packagist-token ¦ packagist_ack_{h60} ¦ packagist_ack_configuration
packagist-token ¦ packagist_acs_{h60} ¦ packagist_acs_configuration
pagerduty-key ¦ pagerduty_key: {a20} ¦ pagerduty at {a20}
pagerduty-key ¦ pdus+{a24} ¦ pdus+configuration
pagerduty-key ¦ pdeu+{a24} ¦ pdeu+configuration
password ¦ machine api.example.org login ada password {a12} ¦ machine learning with a login page
password ¦ login ada password {a12} ¦ login page
password ¦ curl -u ada:{a10} https://example.org ¦ docker run -u 1000:1000 image
password ¦ mysqldump -u ada -p{a10} runs ¦ mkdir -p{a10}
password ¦ docker login -u ada -p {a10} ¦ docker run -p 8080:80 image
password ¦ redis-cli -a {a10} ping ¦ ls -a files
password ¦ ldapsearch -w {a10} -b x ¦ grep -w word file
password ¦ unzip -P {a10} data.zip ¦ rsync -P files there
password ¦ 7z x -p{a10} data.7z ¦ patch -p1
password ¦ htpasswd -b .htpasswd ada {a10} ¦ htpasswd - manages files
password ¦ ssh-keygen -t ed25519 -N {a10} -f key ¦ ssh-keygen -N "" -f key
password ¦ net use x: //nas/share /user:ada {a10} ¦ net use x: //nas/share /user:ada
password ¦ smtp.login("ada", "{a10}") ¦ smtp.login(user, password)
password ¦ requests.get(url, auth=("ada", "{a10}")) ¦ requests.get(url, auth=(user, password))
password ¦ HTTPBasicAuth("ada", "{a10}") ¦ HTTPBasicAuth(user, password)
token ¦ wandb.login(key="{a10}") ¦ wandb.login(key=key, host="https://wandb.example.org")
token ¦ login('{a10}') ¦ client.login('anonymous')
password ¦ sqlplus ada/{a10}@db ¦ sqlplus /nolog
password ¦ rclone config create box sftp pass {a10} ¦ rclone config pass
password ¦ openssl rsa -passin pass:{a10} ¦ first pass: good
password ¦ CREATE USER ada IDENTIFIED BY '{a10}' ¦ identified by name
password ¦ echo {a10} | docker login --password-stdin ¦ echo done | tee train.log
password-hash ¦ ada:$2y$10${a53} ¦ price $2a$
password-hash ¦ ada:$apr1${a8}${a22} ¦ $1$ and $5$
password-hash ¦ $argon2id$v=19$m=65536,t=3,p=4${a22}${a43} ¦ $argon2id$
password-hash ¦ pbkdf2_sha256$600000${a22}${a43}= ¦ pbkdf2_sha256
password-hash ¦ scrypt:32768:8:1${a16}${h128} ¦ scrypt:32768
password-hash ¦ ada:{SHA}{b27}= ¦ {SHA} of it
paypal-token ¦ access_token$production${l16}${h32} ¦ access_token$production$none
perplexity-key ¦ pplx-{a40} ¦ pplx-configuration
pgpass ¦ db.example.org:5432:runs:ada:{a12} ¦ db.example.org:5432:runs
pinecone-key ¦ pcsk_{a4}_{a40} ¦ pcsk_configuration
plaid-token ¦ access-sandbox-{h8}-{h4}-{h4}-{h4}-{h12} ¦ access-sandbox-configuration
plaid-token ¦ access-development-{h8}-{h4}-{h4}-{h4}-{h12} ¦ access-development-configuration
planetscale-token ¦ pscale_tkn_{a30} ¦ pscale_tkn_configuration
planetscale-token ¦ pscale_pw_{a30} ¦ pscale_pw_configuration
posthog-key ¦ phc_{a30} ¦ phc_configuration
posthog-key ¦ phx_{a30} ¦ phx_configuration
postman-key ¦ PMAK-{h24}-{h34} ¦ PMAK-configuration
postman-key ¦ PMAT-{U26} ¦ PMAT-configuration
postmark-token ¦ postmark_key: {h8}-{h4}-{h4}-{h4}-{h12} ¦ postmark at {h8}-{h4}-{h4}-{h4}-{h12}
prefect-key ¦ pnu_{a36} ¦ pnu_configuration
prefect-key ¦ pnb_{a36} ¦ pnb_configuration
private-key ¦ MIIEv{b3}IBADANBgkqhkiG9w0BAQEFAAS{b16} ¦ MIIEvconfiguration
private-key ¦ MIIJQ{b3}IBADANBgkqhkiG9w0BAQEFAAS{b16} ¦ MIIJQconfiguration
private-key ¦ MIGHAgEAMBMGByqGSM49{b16} ¦ MIGHAgEAMBMGByqGSM49
private-key ¦ MIG2AgEAMBAGByqGSM49{b16} ¦ MIG2AgEAMBAGByqGSM49
private-key ¦ b3BlbnNzaC1rZXktdjE{b24} ¦ b3BlbnNzaC1rZXktdjEconfiguration
private-key ¦ LS0tLS1CRUdJTiBQUklWQVRF{b16} ¦ LS0tLS1CRUdJTiBQUklWQVRF
private-key ¦ LS0tLS1CRUdJTiBSU0EgUFJJ{b16} ¦ LS0tLS1CRUdJTiBSU0EgUFJJ
pulumi-token ¦ pul-{h40} ¦ pul-configuration
pypi-token ¦ pypi-{w50} ¦ pypi-configuration
railway-token ¦ railway_key: {h8}-{h27} ¦ railway at {h8}-{h27}
rancher-token ¦ token-{l5}:{l54} ¦ token-first:second
razorpay-key ¦ rzp_live_{a14} ¦ rzp_live_configuration
razorpay-key ¦ rzp_test_{a14} ¦ rzp_test_configuration
readme-key ¦ rdme_{l70} ¦ rdme_configuration
render-key ¦ rnd_{a32} ¦ rnd_configuration
replicate-token ¦ r8_{a30} ¦ r8_configuration
roboflow-key ¦ rf_{a24} ¦ rf_configuration
roboflow-key ¦ roboflow_key: {a20} ¦ roboflow at {a20}
rubygems-key ¦ rubygems_{h48} ¦ rubygems_configuration
runpod-key ¦ rpa_{a36} ¦ rpa_configuration
salesforce-token ¦ 00D{a12}!{a96} ¦ 00D{a12}
scale-key ¦ live_{h32} ¦ live_configuration
scaleway-key ¦ SCW{U17} ¦ SCWconfiguration
scalingo-token ¦ tk-us-{w40} ¦ tk-us-configuration
semgrep-token ¦ semgrep_key: {h64} ¦ semgrep at {h64}
sendgrid-key ¦ SG.{w16}.{w30} ¦ SG.configuration
sentry-dsn ¦ https://{h32}@o1.ingest.sentry.io/2 ¦ https://o1.ingest.sentry.io/2
sentry-token ¦ sntrys_{b40} ¦ sntrys_configuration
sentry-token ¦ sntryu_{h64} ¦ sntryu_configuration
sentry-token ¦ sntrya_{h64} ¦ sntrya_configuration
session ¦ GET /x?sessionid={l32} ¦ sessionid=0
shippo-token ¦ shippo_live_{h40} ¦ shippo_live_configuration
shippo-token ¦ shippo_test_{h40} ¦ shippo_test_configuration
shopify-token ¦ shpat_{h32} ¦ shpat_configuration
shopify-token ¦ shpss_{h32} ¦ shpss_configuration
slack-token ¦ xoxa-{b14} ¦ xoxa-short
slack-token ¦ xoxb-{b14} ¦ xoxb-short
slack-webhook ¦ https://hooks.slack.com/services/T{U8}/B{U8}/{a24} ¦ https://hooks.slack.com/docs
snyk-token ¦ snyk_key: {h8}-{h4}-{h4}-{h4}-{h12} ¦ snyk at {h8}-{h4}-{h4}-{h4}-{h12}
snyk-token ¦ snyk_uat.{U30} ¦ snyk_uat.configuration
snyk-token ¦ snyk_sat.{U30} ¦ snyk_sat.configuration
sonar-token ¦ sqp_{h40} ¦ sqp_configuration
sonar-token ¦ sqa_{h40} ¦ sqa_configuration
sonar-token ¦ sonar_key: {h40} ¦ sonar at {h40}
square-token ¦ sq0atp-{w26} ¦ sq0atp-configuration
square-token ¦ sq0csp-{w26} ¦ sq0csp-configuration
square-token ¦ EAAA{w60} ¦ EAAAconfiguration
statsig-key ¦ secret-{a42} ¦ secret-configuration
statsig-key ¦ client-{a42} ¦ client-configuration
stripe-key ¦ sk_live_{a20} ¦ sk_live_configuration
stripe-key ¦ sk_test_{a20} ¦ sk_test_configuration
stripe-key ¦ whsec_{b28} ¦ whsec_configuration
supabase-key ¦ sbp_{w30} ¦ sbp_configuration
supabase-key ¦ sb_secret_{w30} ¦ sb_secret_configuration
tailscale-key ¦ tskey-auth-{a12}-{a16} ¦ tskey-configuration
tavily-key ¦ tvly-{a24} ¦ tvly-configuration
teams-webhook ¦ https://x.webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h8}-{h4}-{h4}-{h4}-{h12}/IncomingWebhook/{h32}/{h8}-{h4}-{h4}-{h4}-{h12} ¦ https://x.webhook.office.com/webhookb2/help
telegram-token ¦ {d9}:AA{w33} ¦ {d9}:AA
telegram-token ¦ https://api.telegram.org/bot{d9}:{w35}/sendMessage ¦ https://api.telegram.org/bot
tencent-key ¦ AKID{a32} ¦ AKIDconfiguration
terraform-token ¦ {a14}.atlasv1.{w67} ¦ x.atlasv1.y
together-key ¦ tgp_v1_{w32} ¦ tgp_v1_configuration
travis-token ¦ travis_key: {w22} ¦ travis at {w22}
twilio-key ¦ SK{h32} ¦ SKconfiguration
twilio-key ¦ AC{h32} ¦ ACconfiguration
twitch-token ¦ twitch_key: {l30} ¦ twitch at {l30}
twitch-token ¦ oauth:{l30} ¦ oauth:implicit
twitter-token ¦ twitter_key: {a35} ¦ twitter at {a35}
twitter-token ¦ AAAAAAAAAAAAAAAAAAAAAA{a90} ¦ AAAAAAAAAAAAAAAAAAAAAA
typeform-token ¦ tfp_{a40} ¦ tfp_configuration
url-credentials ¦ postgres://ada:{a12}@db.example.org/x ¦ postgres://db.example.org/x
url-credentials ¦ https://{a24}@git.example.org/x ¦ https://ada@git.example.org/x
url-credentials ¦ https://{a12}@git.example.org/x ¦ https://adalovelace@git.example.org/x
url-signature ¦ https://x.example.org/a?sv=1&sig={a43}%3D ¦ https://x.example.org/a?sig=none
vast-key ¦ vast_key: {h64} ¦ vast at {h64}
vault-token ¦ hvs.{w28} ¦ hvs.configuration
vault-token ¦ hvb.{w28} ¦ hvb.configuration
vault-token ¦ s.{a24} ¦ s.configuration
vault-token ¦ b.{a24} ¦ b.configuration
vercel-token ¦ vcp_{a28} ¦ vcp_configuration
vercel-token ¦ vck_{a28} ¦ vck_configuration
vonage-secret ¦ nexmo_key: {a16} ¦ nexmo at {a16}
voyage-key ¦ pa-{w40} ¦ pa-configuration
vultr-key ¦ vultr_key: {U36} ¦ vultr at {U36}
wandb-key ¦ wandb_v1_{a24} ¦ wandb_v1_configuration
wandb-key ¦ local-{h40} ¦ local-configuration
wandb-key ¦ wandb login {h40} ¦ wandb: run {h40}
xai-key ¦ xai-{a60} ¦ xai-configuration
xata-key ¦ xau_{a30} ¦ xau_configuration
yandex-key ¦ AQVN{w34} ¦ AQVNconfiguration
yandex-key ¦ AQVNx{w34} ¦ AQVNxconfiguration
yandex-secret ¦ YCAJ{w21} ¦ YCAJconfiguration
yandex-secret ¦ YCM{w21} ¦ YCMconfiguration
yandex-token ¦ t1.{b24} ¦ t1.configuration
yandex-token ¦ y0_{b24} ¦ y0_configuration
zapier-webhook ¦ https://hooks.zapier.com/hooks/catch/{d7}/{l7} ¦ https://hooks.zapier.com/hooks
zendesk-key ¦ zendesk_key: {a40} ¦ zendesk at {a40}
zoom-webhook ¦ https://inbots.zoom.us/incoming/hook/{w24} ¦ https://inbots.zoom.us/incoming
"""
"""Kind, what must be found, and what must not, parted by broken bars."""


def _rows() -> list[tuple[str, str, str]]:
    rows = []
    for line in _TABLE.strip().splitlines():
        kind, found, harmless = line.split(" ¦ ")
        rows.append((kind, found, harmless))
    return rows


KINDS = _rows()
"""Kind, description of what must be found, description of what must not."""
