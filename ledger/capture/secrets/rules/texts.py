"""Secrets without a vendor's mark: headers, URLs, command lines, password files, password hashes, bare keys.

Each shape comes from the description of its format; where it resembles other text, a word beside it
decides.
"""

from ledger.capture.secrets.rules.rule import text, word

_ARGUMENT = rb"[ \t=]{0,4}\\{0,3}[\"']?(?P<secret>(?![$<{*\-])[^\s\"'`;|<>\\]{3,256})"
"""The value of an option for a password: no variable, no other option."""
_TEXT = rb"(?:[a-zA-Z_.]{1,60}|[rbf]?\\{0,3}[\"'][^\"'\r\n\\]{1,128}\\{0,3}[\"'])"
"""A string in code, or a variable."""
_GIVEN = rb"[rbf]?\\{0,3}[\"'](?P<secret>(?![$<{*/])[^\"'\r\n\\]{4,256})\\{0,3}[\"']"
"""A secret in code as a string."""

RULES = (
    text(
        "jwt",
        "eyJ",
        rb"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}(?:\.[A-Za-z0-9_\-.]{0,4096})?",
        inside=True,
    ),
    text(
        "jwt",
        "eyJ",
        rb"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{10,}\.\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]{20,4096}",
        inside=True,
    ),
    text(
        "authorization",
        "authorization",
        rb"(?i:authorization)\\{0,3}[\"']{0,2}[ \t]{0,4}[:=,][ \t]{0,4}\\{0,3}[\"']{0,2}"
        rb"(?:(?:[Bb]earer|[Bb]asic|[Tt]oken|[Dd]igest|[Nn]egotiate|BEARER|BASIC|[Aa]pi[Kk]ey|[Aa]pi-[Kk]ey|[Kk]ey|SSWS|NTLM)[ \t=:]{1,4}|(?=[A-Za-z0-9._~+/=\-]{0,40}[0-9])(?=[A-Za-z0-9._~+/=\-]{16}))"
        rb"(?P<secret>[A-Za-z0-9._~+/=\-]{6,4096})",
        folded=True,
    ),
    text(
        "bearer-token",
        "bearer",
        rb"(?<![A-Za-z0-9])(?i:bearer)[ \t]{1,4}(?P<secret>[A-Za-z0-9._~+/=\-]{20,})",
        needs="digit",
        folded=True,
    ),
    text(
        "cookie",
        "cookie",
        rb"(?i:cookie)2?\\{0,3}[\"']{0,2}[ \t]{0,4}[:=,][ \t]{0,4}\\{0,3}[\"']{0,2}"
        rb"(?P<secret>[A-Za-z0-9_.\-]{1,80}=(?![({$<])[^;\s\"'\\<>()]{6,4096}(?:;[ \t]{0,2}[A-Za-z0-9_.\-]{1,80}(?:=[^;\"'\r\n\\<>]{0,4096})?)*)",
        folded=True,
    ),
    text(
        "session",
        "sessionid= session_id= PHPSESSID= phpsessid= JSESSIONID= jsessionid= csrftoken= connect.sid=",
        rb"(?i:sessionid|session_id|phpsessid|jsessionid|csrftoken|connect\.sid)=(?P<secret>[A-Za-z0-9%._\-]{16,512})",
        needs="digit",
        inside=True,
    ),
    text(
        "password",
        "machine",
        rb"(?<![A-Za-z0-9])machine[ \t\r\n]{1,9}[^\s]{1,255}(?:[ \t\r\n+]{1,9}(?:account|port)[ \t]{1,9}[^\s]{1,255})?(?:[ \t\r\n+]{1,9}login[ \t\r\n]{1,9}[^\s]{1,255})?"
        rb"(?:[ \t\r\n+]{1,9}account[ \t]{1,9}[^\s]{1,255})?[ \t\r\n+]{1,9}password[ \t]{1,9}(?P<secret>[^\s\[][^\s]{0,1023})",
    ),
    text(
        "password",
        "login",
        rb"(?<![A-Za-z0-9])login[ \t]{1,9}[^\s]{1,255}[ \t\r\n+]{1,9}password[ \t]{1,9}(?P<secret>[^\s\[][^\s]{0,1023})",
        needs="digit",
    ),
    text(
        "url-credentials",
        "://",
        rb"://(?P<secret>[^\s/?#@\"'<>`:$({\\]{0,255}:(?![$({<*%]|\[redacted)[^\s/?#\"'<>`\\]{1,512})@(?=[A-Za-z0-9\[_])",
    ),
    text("url-credentials", "://", rb"://(?P<secret>[A-Za-z0-9_\-]{20,255})@(?=[A-Za-z0-9\[])", inside=True),
    text(
        "url-credentials",
        "https:// http://",
        rb"https?://(?P<secret>(?=[A-Za-z_\-.~%]{0,30}[0-9])[A-Za-z0-9_\-.~%]{8,255})@(?=[A-Za-z0-9\[])",
        inside=True,
    ),
    text(
        "pgpass",
        ":5432: :5433: :6432: :26257: :*:",
        rb"(?<![^\s+\-\"'])[A-Za-z0-9_.*\-]{1,128}:(?:5432|5433|6432|26257|\*):[^\s:]{1,64}:[^\s:]{1,64}:(?P<secret>[^\s:\[\"'][^\s\"']{2,255})(?=[\s\"']|$)",
        before=("A-Za-z0-9_.*-", 128),
        inside=True,
    ),
    # Calls: `smtp.login("ada", "...")`, `login("...")`, `auth=("ada", "...")`
    text(
        "password",
        "login(",
        rb"(?<![A-Za-z0-9])login\([ \t\r\n+]{0,40}" + _TEXT + rb",[ \t\r\n+]{0,40}(?:[a-z_]{1,20}=)?" + _GIVEN,
    ),
    text(
        "token",
        "login(",
        rb"(?<![A-Za-z0-9])login\([ \t\r\n+]{0,40}(?:[a-z_]{1,20}=)?"
        + _GIVEN
        + rb"[ \t\r\n+,]{0,40}(?:\)|[a-z_]{1,20}=)",  # alone: before another value it is a user name
        needs="digit",
    ),
    text(
        "password",
        "auth=( BasicAuth( DigestAuth(",
        rb"(?:auth=|(?:Basic|Digest)Auth)\([ \t\r\n+]{0,40}(?:[a-z_]{1,20}=)?"
        + _TEXT
        + rb",[ \t\r\n+]{0,40}(?:[a-z_]{1,20}=)?"
        + _GIVEN,
    ),
    # Password hashes of databases, shells and web servers
    text("password-hash", "$2a$ $2b$ $2y$", rb"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{22,53}", inside=True),
    text(
        "password-hash",
        "$apr1$ $1$ $5$ $6$ $y$ $7$",
        rb"\$(?:apr1|[1567y])\$(?:rounds=[0-9]{1,9}\$|[./A-Za-z0-9]{1,8}\$(?=[./A-Za-z0-9]{1,32}\$))?[./A-Za-z0-9]{1,32}\$[./A-Za-z0-9]{20,90}",
        inside=True,
    ),
    text(
        "password-hash",
        "$argon2",
        rb"\$argon2(?:id|i|d)\$v=[0-9]{1,3}\$m=[0-9]{1,9},t=[0-9]{1,5},p=[0-9]{1,5}\$[A-Za-z0-9+/]{8,90}\$[A-Za-z0-9+/]{16,180}",
        inside=True,
    ),
    text(
        "password-hash",
        "pbkdf2_sha pbkdf2:sha",
        rb"pbkdf2[_:]sha(?:1|256|512)[$:][0-9]{3,8}\$[A-Za-z0-9]{4,64}\$[A-Za-z0-9+/=]{20,130}",
        inside=True,
    ),
    text(
        "password-hash",
        "scrypt:",
        rb"scrypt:[0-9]{3,8}:[0-9]{1,3}:[0-9]{1,3}\$[A-Za-z0-9]{4,64}\$[a-f0-9]{64,130}",
        inside=True,
    ),
    text("password-hash", "{SHA {SSHA", rb"\{S?SHA(?:256|512)?\}[A-Za-z0-9+/]{20,130}={0,2}"),
    # Keys without their first line
    word(
        "private-key",
        "MIIEv MIIJQ MIICd MIIBV MIIEo MIIEp MIIJK MIICX MIIG5 MIICW MIIJJ",
        r"[A-Za-z0-9+/]{3,6}(?:IBADANBgkqhkiG9w0BAQEFAAS|IBAAK)[A-Za-z0-9+/]{12,}={0,2}",
    ),
    word(
        "private-key",
        "MIGHAgEAMBMGByqGSM49 MIG2AgEAMBAGByqGSM49 MHcCAQEE MIGkAgEBBD MC4CAQAwBQYDK2Vw",
        r"[A-Za-z0-9+/]{12,}={0,2}",
    ),
    word("private-key", "b3BlbnNzaC1rZXktdjE", r"[A-Za-z0-9+/]{20,}={0,2}"),
    word(
        "private-key",
        "LS0tLS1CRUdJTiBQUklWQVRF LS0tLS1CRUdJTiBSU0EgUFJJ LS0tLS1CRUdJTiBFQyBQUklW LS0tLS1CRUdJTiBPUEVOU1NI LS0tLS1CRUdJTiBFTkNSWVBU LS0tLS1CRUdJTiBEU0EgUFJJ LS0tLS1CRUdJTiBQR1AgUFJJ",
        r"[A-Za-z0-9+/]{12,}={0,2}",
    ),
    # Command lines
    text(
        "password",
        "-u --user --proxy-user",
        rb"(?<![A-Za-z0-9\-])(?:-u|--user|--proxy-user)[ \t=]{0,4}\\{0,3}[\"']?[^\s:\"'$]{1,128}:(?P<secret>(?![$<{*/])[^\s\"'\\]{2,256})",
        near="curl http https wget lftp ldapsearch",
    ),
    text("password", "-p", rb"(?<![A-Za-z0-9\-])-p" + _ARGUMENT, near="mysql mysqldump mysqladmin mariadb sshpass"),
    text(
        "password",
        "-p|",
        rb"(?<![A-Za-z0-9\-])-p" + _ARGUMENT,
        near="docker|login podman|login az|login helm|login skopeo|login oc|login smbclient rabbitmqadmin",
    ),
    text("password", "-a", rb"(?<![A-Za-z0-9\-])-a" + _ARGUMENT, near="redis-cli"),
    text("password", "-w|", rb"(?<![A-Za-z0-9\-])-w" + _ARGUMENT, near="ldapsearch ldapadd ldapmodify ldapwhoami"),
    text("password", "-P|", rb"(?<![A-Za-z0-9\-])-P" + _ARGUMENT, near="unzip zip sqlcmd bcp"),
    text(
        "password",
        "-p",
        rb"(?<![A-Za-z0-9\-])-p(?P<secret>(?![$<{*\-])[^\s\"'`;|<>\\]{3,256})",
        near="7z 7za rar unrar",
    ),
    text(
        "password",
        "htpasswd|-",
        rb"htpasswd(?:[ \t]-[A-Za-z]{1,6})?[ \t]-[A-Za-z]{0,4}b[A-Za-z]{0,4}[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}[^\s]{1,128}[ \t]{1,4}[\"']?(?P<secret>(?![$<{*\-])[^\s\"']{3,256})",
    ),
    text("password", "-N| -P|", rb"(?<![A-Za-z0-9\-])-[NP]" + _ARGUMENT, near="ssh-keygen"),
    text(
        "password", "/user:", rb"/user:[^\s]{1,128}[ \t]{1,4}(?P<secret>(?![$<{*/\-])[^\s\"']{3,256})", near="net|use"
    ),
    text(
        "password",
        "sqlplus sqlldr expdp impdp",
        rb"(?:sqlplus|sqlldr|expdp|impdp)(?:[ \t]-[A-Za-z]{1,9})?[ \t]{1,4}[\"']?[A-Za-z][\w$#]{0,127}/(?P<secret>(?![$<{*&/])[^\s\"'@/]{3,256})",
    ),
    text(
        "password",
        "pass",
        rb"(?<![A-Za-z0-9_])pass[ \t=]{1,4}(?P<secret>(?![$<{*\-])[^\s\"'`;|<>\\]{3,256})",
        near="rclone|config",
    ),
    text(
        "password",
        "pass:",
        rb"(?<![A-Za-z0-9])pass:(?P<secret>(?![$<{*])[^\s\"']{3,256})",
        near="openssl -passin -passout",
    ),
    text(
        "password",
        "identified",
        rb"(?i:identified[ \t]{1,4}by[ \t]{1,4}(?:password[ \t]{1,4})?)\\{0,3}[\"'](?P<secret>[^\"'\r\n\\]{1,256})",
        folded=True,
    ),
    text(
        "password",
        "-stdin chpasswd sudo|-S",
        rb"[^\r\n]{0,300}?(?:echo|printf)[ \t]{1,4}(?:-[ne]{1,2}[ \t]{1,4})?[\"']?(?P<secret>(?![$<{*\-%])[^\s\"'|]{3,256})[\"']?[ \t]{0,4}\|",
        before=(" -~", 300),
    ),
    text(
        "mnemonic",
        "mnemonic seed",
        rb"(?i:mnemonic|seed)(?i:[ _\-]?(?:phrase|words))?\\{0,3}[\"']{0,2}[ \t]{0,4}[:=][ \t]{0,4}\\{0,3}[\"']?(?P<secret>[a-z]{3,8}(?:[ \t][a-z]{3,8}){11,23})(?![A-Za-z])",
        folded=True,
    ),
)
