"""The forms of tokens that services publish, one a line: name, anchors, pattern, proof.

Sources: each service's documentation of its tokens, and the lists of secret-scanning partners that repeat them.
"""

from starloom.privacy.detector import ALPHANUMERIC, Detector, Near
from starloom.privacy.keys import checks
from starloom.privacy.keys.form import form
from starloom.privacy.placeholders import is_filler

END = r"(?![A-Za-z0-9_-])"  # of tokens in the address alphabet
STOP = r"(?![A-Za-z0-9])"
HEX_DIGITS = "0123456789abcdef"
HEX = r"[0-9a-f]"
WORD = r"[A-Za-z0-9_-]"
PLAIN = r"[A-Za-z0-9]"
UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

DETECTORS: tuple[Detector, ...] = (
    # Code hosting, registries, builds; a token of GitHub's with a wrong checksum was never given out
    form(
        "github-token", "ghp_ gho_ ghs_ ghu_ ghr_", rf"gh[posur]_{PLAIN}{{36}}{END}", checks.crc32_base62, required=True
    ),
    form(
        "github-token-long", "ghs_ ghr_", rf"gh[sr]_(?:{PLAIN}{{37,255}}|\d{{1,20}}_eyJ[A-Za-z0-9_.-]{{60,1000}}){END}"
    ),
    form("github-fine-grained-token", "github_pat_", rf"github_pat_{PLAIN}{{22}}_{PLAIN}{{59}}{END}"),
    form(
        "gitlab-token",
        "glpat- gldt- glrt- glft- glimt- glsoat- gloas- glcbt- glffct- glagent-",
        rf"gl(?:pat|dt|rt|ft|imt|soat|oas|cbt|ffct|agent)-[A-Za-z0-9_=-]{{20,300}}(?:\.[0-9a-z.]{{2,20}})?{END}",
    ),
    form("gitlab-trigger-token", "glptt-", rf"glptt-{HEX}{{40}}{END}"),
    form("gitlab-runner-registration", "gr1348941", rf"GR1348941{WORD}{{20}}{END}"),
    form("npm-token", "npm_", rf"npm_{PLAIN}{{36}}{END}", checks.crc32_base62),
    form("pypi-token", "pypi-age", rf"pypi-AgE[A-Za-z0-9_-]{{60,1000}}{END}", checks.macaroon),
    form("rubygems-token", "rubygems_", rf"rubygems_{HEX}{{48}}{END}"),
    form("clojars-token", "clojars_", rf"CLOJARS_[a-z0-9]{{60}}{END}"),
    form("nuget-key", "oy2", rf"oy2[a-z0-9]{{43}}{END}"),
    form("docker-token", "dckr_pat_ dckr_oat_", rf"dckr_(?:pat|oat)_{WORD}{{27,64}}{END}"),
    form("artifactory-key", "akcp", rf"AKCp{PLAIN}{{10,80}}{END}"),
    form("artifactory-reference-token", "cmvmdgtu", rf"cmVmdGtu{PLAIN}{{56}}{END}"),
    form("bitbucket-app-password", "atbb", rf"ATBB{PLAIN}{{24,40}}{END}"),
    form("atlassian-token", "atatt3 atctt3", r"AT[AC]TT3[A-Za-z0-9_=-]{60,400}"),
    form("circleci-token", "ccipat_ ccipri_", rf"CCIP(?:AT|RI)_{PLAIN}{{22}}_{HEX}{{40}}{END}"),
    form("buildkite-token", "bkua_", rf"bkua_{HEX}{{40}}{END}"),
    form("sonar-token", "sqp_ squ_ sqa_", rf"sq[pua]_{HEX}{{40}}{END}"),
    form("sourcegraph-token", "sgp_", rf"sgp_(?:(?:local|{HEX}{{16}})_)?{HEX}{{40}}{END}"),
    form("postman-key", "pmak-", rf"PMAK-{HEX}{{24}}-{HEX}{{34}}{END}"),
    form("readme-key", "rdme_", rf"rdme_[a-z0-9]{{70}}{END}"),
    form("infracost-key", "ico-", rf"ico-{PLAIN}{{32}}{END}"),
    form("airtable-key", "pat", rf"pat{PLAIN}{{14}}\.{HEX}{{64}}{END}", near=(Near("after", ALPHANUMERIC, 14, 14),)),
    form("twilio-key", "sk", rf"SK{HEX}{{32}}{END}", confidence=0.8, near=(Near("after", HEX_DIGITS, 32, 32),)),
    # Clouds
    form("aws-access-key-id", "akia asia abia acca", rf"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{{16}}{END}"),
    form("aws-bedrock-key", "absk", r"ABSK[A-Za-z0-9+/]{100,280}={0,2}"),
    form("aws-mws-key", "amzn.mws.", rf"amzn\.mws\.{UUID}{END}"),
    form("google-api-key", "aiza", rf"AIza{WORD}{{35}}{END}"),
    form("google-oauth-secret", "gocspx-", rf"GOCSPX-{WORD}{{28}}{END}"),
    form("google-oauth-token", "ya29.", r"ya29\.[A-Za-z0-9_-]{20,1024}(?:\.[A-Za-z0-9_-]{1,512})?"),
    form("google-refresh-token", "1//0", rf"1//0[a-zA-Z0-9]{WORD}{{38,120}}{END}"),
    form("firebase-messaging-key", ":apa91b", rf"AAAA{WORD}{{7}}:APA91b{WORD}{{134}}{END}", before=11),
    form("azure-ad-secret", "q~", r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])", before=4),
    form("alibaba-access-key", "ltai", rf"LTAI{PLAIN}{{12,20}}{END}"),
    form("digitalocean-token", "dop_v1_ doo_v1_ dor_v1_", rf"do[por]_v1_{HEX}{{64}}{END}"),
    form("heroku-key", "hrku-", rf"HRKU-(?:AA{WORD}{{58}}|{UUID}){END}"),
    form(
        "fly-token", "fo1_ fm2_ fm1r_ fm1a_", r"(?:fo1_[A-Za-z0-9_-]{43}|fm(?:2|1r|1a)_[A-Za-z0-9+/]{100,2000}={0,3})"
    ),
    form("scalingo-token", "tk-us-", rf"tk-us-{WORD}{{48}}{END}"),
    form("vercel-token", "vcp_ vci_ vca_ vcr_ vck_", rf"vc[piark]_{PLAIN}{{24,60}}{END}"),
    form("supabase-key", "sbp_ sb_secret_", rf"(?:sbp_{HEX}{{40}}|sb_secret_{WORD}{{31}}){END}"),
    form("planetscale-key", "pscale_", rf"pscale_(?:tkn|pw|oauth)_[A-Za-z0-9=._-]{{32,64}}{END}"),
    form("databricks-token", "dapi", rf"dapi{HEX}{{32}}(?:-\d)?{END}"),
    form("vault-token", "hvs. hvb. hvr.", rf"hv[sbr]\.{WORD}{{24,300}}{END}"),
    form("terraform-token", ".atlasv1.", rf"{PLAIN}{{14}}\.atlasv1\.{WORD}{{60,70}}{END}", before=14),
    form("pulumi-token", "pul-", rf"pul-{HEX}{{40}}{END}"),
    form(
        "doppler-token",
        "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.",
        rf"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{{2,35}}\.)?{PLAIN}{{40,44}}{END}",
    ),
    form("tailscale-key", "tskey-", rf"tskey-[a-z]{{2,10}}-{PLAIN}{{8,20}}-{PLAIN}{{20,40}}{END}"),
    form("cloudflare-origin-key", "v1.0-", rf"v1\.0-{HEX}{{24}}-{HEX}{{146}}{END}"),
    form("onepassword-token", "ops_eyj", r"ops_eyJ[A-Za-z0-9+/_-]{200,2000}={0,3}"),
    form("prefect-key", "pnu_ pnb_", rf"pn[ub]_{PLAIN}{{36}}{END}"),
    form("yandex-key", "aqvn y0_a", rf"(?:AQVN{WORD}{{35,38}}|y0_A{WORD}{{54,64}}){END}"),
    form("aiven-password", "avns_", rf"AVNS_{WORD}{{19}}{END}"),
    form("age-secret-key", "age-secret-key-1", rf"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{{58}}{END}", checks.bech32),
    # Talking and writing
    form(
        "slack-token",
        "xoxb- xoxp- xoxa- xoxo- xoxr- xoxs- xoxe- xoxe. xoxc- xoxd-",
        r"xox(?:[bpaorsecd]-(?:\d{1,3}-)?|e\.xox[bp]-\d-)[A-Za-z0-9%+/=-]{20,500}",
    ),
    form("slack-app-token", "xapp-", rf"xapp-\d-[A-Z0-9]{{6,20}}-\d{{6,20}}-[a-f0-9]{{40,80}}{END}"),
    form(
        "slack-webhook",
        "hooks.slack.com/",
        rf"hooks\.slack\.com/(?:services|workflows|"
        rf"triggers)/([A-Z][A-Z0-9]{{5,15}}/[A-Z0-9]{{5,20}}/(?:\d{{10,20}}/)?{PLAIN}{{20,60}}){STOP}",
    ),
    form("discord-webhook", "/webhooks/#", rf"/webhooks/(\d{{17,20}}/{WORD}{{60,90}}){END}", start=""),
    form(
        "teams-webhook",
        ".webhook.office.com/",
        rf"\.webhook\.office\.com/webhookb2/({UUID}@{UUID}/IncomingWebhook/{HEX}{{32}}/{UUID})",
        start="",
    ),
    form(
        "discord-bot-token",
        (".login(", ".run(", "bot ", "discord"),
        r"(?i:\.login\(|\.run\(|bot |discord[\w.-]{0,20}[\"'`\])]{0,3}\s?(?:=>|[:=,])?)\s{0,4}[\"'`]?"
        rf"([MNO][A-Za-z0-9]{{22,27}}\.{WORD}{{6}}\.{WORD}{{27,38}}){END}",
        checks.snowflake,
        start="",
    ),
    form(
        "zapier-webhook", "hooks.zapier.com/", rf"hooks\.zapier\.com/hooks/catch/(\d{{4,12}}/[A-Za-z0-9]{{5,12}}){STOP}"
    ),
    form("notion-key", "ntn_ secret_", rf"(?:ntn_\d{{11}}{PLAIN}{{35}}|secret_{PLAIN}{{43}}){END}"),
    form("linear-key", "lin_api_ lin_oauth_", rf"lin_(?:api_{PLAIN}{{40}}|oauth_{PLAIN}{{40,64}}){END}"),
    form("figma-token", "figd_ figu_", rf"fig[du]_{WORD}{{40,60}}{END}"),
    form("typeform-token", "tfp_", rf"tfp_[A-Za-z0-9=._-]{{40,64}}{END}"),
    form("contentful-token", "cfpat-", rf"CFPAT-{WORD}{{43}}{END}"),
    form("dropbox-token", "sl.", r"sl\.(?:u\.)?[A-Za-z0-9_-]{130,1500}"),
    form("frameio-token", "fio-u-", r"fio-u-[A-Za-z0-9_=-]{64}"),
    form("hubspot-token", "pat-na# pat-eu#", rf"pat-(?:na|eu)\d-{UUID}{END}"),
    form("sendgrid-key", "sg.", rf"SG\.{WORD}{{20,24}}\.{WORD}{{39,50}}{END}"),
    form("mailgun-key", "key-", rf"key-[0-9a-z]{{32}}{END}"),
    form("mailchimp-key", "-us#", rf"{HEX}{{32}}-us\d{{1,2}}{END}", before=32),
    form("mailersend-key", "mlsn.", rf"mlsn\.{HEX}{{64}}{END}"),
    form("brevo-key", "xkeysib- xsmtpsib-", rf"(?:xkeysib|xsmtpsib)-{HEX}{{64}}-{PLAIN}{{16}}{END}"),
    form("facebook-token", "eaa", rf"EAA[A-Z]{PLAIN}{{80,400}}{END}", near=(Near("after", ALPHANUMERIC, 40, 40),)),
    form(
        "twitter-bearer",
        "aaaaaaaaaaaaaaaaaaaaa",
        r"A{19,25}[B-Za-z0-9][A-Za-z0-9]{1,60}(?:%[0-9A-F]{2}[A-Za-z0-9]{1,60}){1,6}",
        accept=lambda value: not is_filler(value.lstrip("A")),
        after="[A-Za-z0-9]*%",
    ),
    form("mapbox-token", "sk.eyj", rf"sk\.eyJ{WORD}{{20,200}}\.{WORD}{{20,30}}{END}", checks.mapbox),
    # Paying and selling
    form("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", rf"[sr]k_(?:live|test)_{PLAIN}{{16,250}}{END}"),
    form("stripe-webhook-secret", "whsec_", r"whsec_[A-Za-z0-9+/]{24,80}={0,2}"),
    form("square-key", "sq0atp- sq0csp- sq0idp-", rf"sq0(?:atp-{WORD}{{22}}|csp-{WORD}{{43}}){END}"),
    form("shopify-key", "shpat_ shpca_ shppa_ shpss_ shpua_", rf"shp(?:at|ca|pa|ss|ua)_[a-fA-F0-9]{{32}}{END}"),
    form(
        "braintree-token", "access_token$", rf"access_token\$(?:production|sandbox)\$[0-9a-z]{{16}}\${HEX}{{32}}{END}"
    ),
    form("flutterwave-key", "flwseck", rf"FLWSECK(?:_TEST)?-{PLAIN}{{32,40}}(?:-X)?{END}"),
    form("duffel-token", "duffel_", r"duffel_(?:test|live)_[A-Za-z0-9_=-]{43}"),
    form("easypost-key", "ezak eztk", rf"EZ[AT]K{PLAIN}{{54}}{END}"),
    form("shippo-token", "shippo_", rf"shippo_(?:live|test)_{HEX}{{40}}{END}"),
    form("intra42-secret", "s-s4t2", rf"s-s4t2(?:ud|af)-{HEX}{{64}}{END}"),
    # Models
    form("huggingface-token", "hf_ api_org_", rf"(?:hf_|api_org_)[A-Za-z]{{34}}{END}"),
    form("openai-key", "sk-", rf"sk-(?:(?:proj|svcacct|admin|None)-)?{WORD}{{20,100}}T3BlbkFJ{WORD}{{20,100}}{END}"),
    form("anthropic-key", "sk-ant-", rf"sk-ant-(?:api|admin|oat|ort|sid)\d{{2}}-{WORD}{{80,120}}{END}"),
    form("openrouter-key", "sk-or-", rf"sk-or-v1-{HEX}{{64}}{END}"),
    form("groq-key", "gsk_", rf"gsk_{PLAIN}{{52}}{END}"),
    form("replicate-token", "r8_", rf"r8_{PLAIN}{{37}}{END}"),
    form("xai-key", "xai-", rf"xai-{PLAIN}{{80}}{END}"),
    form("perplexity-key", "pplx-", rf"pplx-{PLAIN}{{48}}{END}"),
    form("langsmith-key", "lsv2_", rf"lsv2_(?:pt|sk)_{HEX}{{32}}_{HEX}{{10}}{END}"),
    form("pinecone-key", "pcsk_", rf"pcsk_{PLAIN}{{5,6}}_{PLAIN}{{60,66}}{END}"),
    # Watching
    form("grafana-service-account", "glsa_", rf"glsa_{PLAIN}{{32}}_{HEX}{{8}}{END}", checks.crc32_grafana),
    form("grafana-cloud-token", "glc_", r"glc_[A-Za-z0-9+/]{32,400}={0,2}", checks.grafana_cloud_json),
    form("grafana-key", "eyjrijoi", r"eyJrIjoi[A-Za-z0-9+/]{40,400}={0,2}", checks.grafana_json),
    form("newrelic-key", "nrak- nrii- nriq- nrra-", rf"NR(?:AK-[A-Z0-9]{{27}}|I[IQ]-{WORD}{{32}}|RA-{HEX}{{42}}){END}"),
    form("newrelic-license", "nral", rf"[0-9a-fA-F]{{36}}NRAL{END}", before=36),
    form("sentry-token", "sntrys_ sntryu_", r"(?:sntryu_[0-9a-f]{64}|sntrys_eyJ[A-Za-z0-9+/=_-]{80,400})"),
    form("dynatrace-token", "dt0", rf"dt0[a-z]\d{{2}}\.[A-Z2-7]{{24}}\.[A-Z2-7]{{64}}{END}"),
    form("telegram-bot-token", ":aa", rf"\d{{8,10}}:AA{WORD}{{32,33}}{END}", before=10),
)
