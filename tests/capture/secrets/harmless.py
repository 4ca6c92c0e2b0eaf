"""Texts that look a little like secrets and are none, as people's code, logs and tables hold them."""

from tests.capture.secrets.texts import made

_TABLE = r"""
commit {h40}
Merge: {h7} {h7}
blake3:{h64}
sha256:{h64}
sha1={h40}
md5 {h32}
image registry.example.org/team/train@sha256:{h64}
FROM pytorch/pytorch:2.4.0-cuda12.1-cudnn9-runtime@sha256:{h64}
{h8}-{h4}-{h4}-{h4}-{h12}
run_id={h8}-{h4}-{h4}-{h4}-{h12}
wandb: Run data is saved locally in /x/wandb/run-20261120_194812-{l8}
wandb: Synced 5 files at {h40}
wandb run {l8}, project digits
mlflow run {h32}
mlruns/0/{h32}/artifacts/model
neptune run DIG-1234
clearml task {h32}
sk-learn-logistic-regression-with-long-name
sk-image and sk-learn versions differ
task-0123456789-abcdefghij-klmnop
desk-lamp-object-detection-2024-version-two
risk-adjusted-return-on-capital-2024
ask-me-anything-2023-dataset-version-1
hf_hub_download(repo_id='x', filename='model-00001-of-00002.safetensors')
hf_transformers_version_4_44_2_compatible
gsk_learning_rate_schedule = cosine
arXiv:2403.12345v2
doi:10.1145/3458817.3476209
torch==2.13.0+cu126
git-ledger 0.1.0.dev20261120+g{h7}
nvidia-cublas-cu12==12.6.4.1
python-3.11.7-h955ad1f_0_cpython
epoch=12-step=34000-val_loss=0.1234.ckpt
checkpoint-34000/model.safetensors
last-v17.ckpt
model-00001-of-00030.safetensors
pytorch_model-00002-of-00003.bin
events.out.tfevents.1732131492.gpu-node-17.12345.0
lightning_logs/version_127/checkpoints/epoch=0-step=50.ckpt
slurm-12345678_17.out
job 12345678.pbs-server finished
tcp://127.0.0.1:29500
master_addr=10.0.12.17 master_port=29500
GPU-{h8}-{h4}-{h4}-{h4}-{h12}
MIG-GPU-{h8}-{h4}-{h4}-{h4}-{h12}/1/0
pci 0000:8a:00.0 NVIDIA H100 80GB HBM3
max_tokens=512 num_tokens: 8192 tokens/s=1200 token_dim=64
--token-dim 64 --max-tokens 2048 --num-tokens 10
--tokenizer bert-base-uncased --token-type ids
--secret-santa-dataset path
--auth-mode basic
--key-padding-mask
--key_dim 64 --value_dim 64
--password-file /run/secrets/db
--api-key-env OPENAI_API_KEY
--no-auth --use-auth-token
tokenizer: bert-base-uncased
pad_token: <pad>, eos_token='</s>', mask_token = "[MASK]"
bos_token_id: 1, eos_token_id: 2, pad_token_id: 0
special_tokens_map.json added_tokens.json
{"id": 50257, "content": "<|endoftext|>", "single_word": false}
"▁the": 262, "▁token": 4210, "Ġpassword": 9206
token = tokenizer.encode(text)
for token in tokens: count[token] += 1
token_ids = tokenizer(text, return_tensors='pt').input_ids
if token == 12345678: pass
next_token = logits.argmax(-1)
tokens = ["[CLS]", "the", "password", "[SEP]"]
token 50256 is the end of text
token embeddings of 768 dimensions
secret_name=x secret_id=arn secrets: inherit
password = getpass.getpass()
password: str
password: str = Field(min_length=8)
def login(password: str, token: Optional[str] = None, auth=None):
api_key=args.api_key
api_key = os.environ["OPENAI_API_KEY"]
token = os.environ.get("HF_TOKEN")
secret = config.get('secret')
password=self.password, user=self.user
if password != confirm_password: raise ValueError
password_hasher = PasswordHasher()
the password is required
password must have at least 12 characters
your password has expired
password reset for user 17
forgot your password?
the password field was empty
wrong password, try again
password policy changed
password authentication failed for user ada
enter the password:
no password given
the token is invalid
token expired 3600 seconds ago
api key not found
the api key is missing
an access key is needed
key not found: layer.0.attention.key.weight
state_dict key mismatch: missing encoder.layers.11.self_attn.k_proj.weight
attn.key.weight torch.Size([768, 768])
keys: 3, values: 3, queries: 3
primary key: id
foreign key (run_id) references runs
key=lambda run: run.started_at
"key": "layer1.0.conv1.weight"
{"username": "ada", "key": "value"}
author: Bob, authenticated=true
authors: Ada Lovelace
Authorization is required for this route
authorize(user)
auth: none
auth=basic
author_email = ada@example.org
cookie_consent = true
cookie cutter dataset
Cookie: yes
https://github.com/org/repo.git
git@github.com:org/repo.git
ssh://git@github.com/org/repo
https://${USER}:${PASSWORD}@host/x
https://user@host.example.org/path
https://ada2024@example.org/x
s3://bucket/datasets/digits/v3/part-00017-{h8}-c000.snappy.parquet
gs://bucket/models/run-{h8}/model.onnx
https://example.org/a?page=2&sort=name
https://huggingface.co/datasets/org/name/resolve/{h40}/data.parquet
postgres://db.example.org:5432/runs
redis://localhost:6379/0
mongodb://localhost:27017
jdbc:postgresql://db:5432/runs
password: ${DB_PASSWORD}
password: {{ vault_password }}
password: <your password>
PASSWORD=$PASSWORD
PASSWORD=changeme
API_KEY=***
export HF_TOKEN=$(cat token.txt)
api_key: null
token: false
api_key: "xxxxxxxxxxxxxxxx"
PWD=/home/bob/project OLDPWD=/home/bob
docker run -u 1000:1000 -p 8080:80 -e PORT=80 image
curl -u $USER:$TOKEN https://example.org
mkdir -p data/digits && cp -a x y
pw=0.5 pw_conv=True upward: 0123456789a
ssl_certificate_key /etc/ssl/private.key; COPY private.key /etc/ssl
attn.key: 0.25, self.key = nn.Linear
sqlplus / as sysdba
self.login("/home/ada", timeout=30) and page.login()
wandb.login(host="https://wandb.example.org", relogin=True)
client.login("ada2024", password)
auth=(os.environ["USER"], os.environ["PASSWORD"])
pass: 0.0123s bypass: compass passenger_2024_dataset passed: 12/34
first pass = 3 epochs, single_pass=True, forward_pass: 0.012s
patch -p1 < fix.patch
ssh -p 2222 host
mysql -p
redis-cli -p 6380
git log -p --stat
class TokenBucketRateLimiter2024Implementation:
class AuthTokenSerializerV2(Serializer):
com.example.security.PasswordEncoderFactoryBean
.btn-primary-outline-2xl-rounded-full{margin:0}
.css-1q2w3e4r5t6y7u8i9o0p{color:red}
data-testid="password-input-field-01"
<label for="password">Password</label>
<input type="password" name="password" placeholder="Password">
<token>the</token>
data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA{b60}
model weights {b120}
{b76}
"signature": "{b86}=="
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{b43} ada@host
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ{b120}
-----BEGIN CERTIFICATE-----
-----BEGIN PUBLIC KEY-----
-----BEGIN PGP SIGNATURE-----
client-certificate-data: {b40}
age1{l58}
integrity sha512-{b86}==
"resolved": "https://registry.npmjs.org/x/-/x-1.0.0.tgz#{h40}"
hash = "sha256-{b43}="
etag: W/"{h32}"
x-request-id: {h32}
traceparent: 00-{h32}-{h16}-01
trace_id={h32} span_id={h16}
0x{h40}
0.{d16}
1.2345678901234567e-08
loss=0.123456789012345 acc=0.987654321098765
[0.12345678, 0.87654321, 0.11111111]
2026-11-20T19:48:12.123456+00:00
IMG_20261120_194812_HDR.jpg
ILSVRC2012_val_00012345.JPEG
n02084071_1234.JPEG
ENST00000456328.2|ENSG00000223972.5
chr17:43044295-43125364
MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV
ACGTACGTACGTACGTACGTACGTACGTACGTACGT
CC(C)CC1=CC=C(C=C1)C(C)C(=O)O
RNA-SEQ-2024-SAMPLE-0001-REPLICATE-A
AC{d6} and SK{d6} are accession numbers
PDB 1A2B chain A, UniProt P0DTC2
pk_embedding_dim sk_embedding_dim
rk_live_view and sk_test_case names
pat_embed.proj.weight
s.replace('a', 'b').strip()
self.assertEqual(first.second_value, 3)
ya29 is a prefix
AKIA is how they begin
ghp_ tokens are looked for
xoxb- and xapp- too
eyJ begins a JWT
AIza begins a key
Bearer of bad news
secret sauce of training
the secret is patience
credentials are read from the environment
passphrase-protected keys are not supported
no secrets found in 127 files
%20%3D%26 decoded as =&
a%2Fb%2Fc=1
path C:\new\token\test
line one \
line two
&quot;quoted&quot; &amp; more
it\u2019s fine
ZGF0YSBhbmQgbW9kZWxzIGFuZCBydW5z
aHR0cHM6Ly9leGFtcGxlLm9yZy9kYXRhc2V0cy9kaWdpdHM=
"""

HARMLESS = tuple(made(line) for line in _TABLE.strip().splitlines())
"""Each must come out as it went in."""
