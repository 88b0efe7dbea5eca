//! Models, and what is built around them.

use super::super::shape::Alphabet::{Alnum, Dotted, Hex, Url64, Word};
use super::super::shape::Piece::Run;
use super::{OPEN, TokenRule, around, token, weak};

#[rustfmt::skip]
pub(super) const RULES: &[TokenRule] = &[
    token("anthropic-key", &["sk-ant-"], &[Run(Url64, 24, OPEN)]),
    token("openai-key", &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-", "sk-service-"], &[Run(Url64, 20, OPEN)]),
    around("openai-key", (Url64, 16, 120), &["T3BlbkFJ"], &[Run(Url64, 16, OPEN)]),
    token("openrouter-key", &["sk-or-v1-", "sk-or-"], &[Run(Url64, 32, OPEN)]),
    token("langfuse-key", &["sk-lf-"], &[Run(Url64, 32, OPEN)]),
    weak("openai-key", &["sess-"], &[Run(Alnum, 36, OPEN)]),
    weak("secret-key", &["sk-"], &[Run(Alnum, 24, OPEN)]),
    token("huggingface-token", &["hf_", "api_org_"], &[Run(Alnum, 30, OPEN)]),
    token("groq-key", &["gsk_"], &[Run(Alnum, 40, OPEN)]),
    token("xai-key", &["xai-"], &[Run(Alnum, 60, OPEN)]),
    token("perplexity-key", &["pplx-"], &[Run(Alnum, 32, OPEN)]),
    weak("replicate-token", &["r8_"], &[Run(Alnum, 30, OPEN)]),
    token("nvidia-key", &["nvapi-"], &[Run(Url64, 40, OPEN)]),
    token("jina-key", &["jina_"], &[Run(Word, 40, OPEN)]),
    token("tavily-key", &["tvly-"], &[Run(Url64, 28, OPEN)]),
    token("langsmith-key", &["lsv2_pt_", "lsv2_sk_"], &[Run(Word, 32, OPEN)]),
    token("pinecone-key", &["pcsk_"], &[Run(Word, 40, OPEN)]),
    weak("fireworks-key", &["fw_"], &[Run(Alnum, 20, OPEN)]),
    weak("voyage-key", &["pa-"], &[Run(Url64, 40, 48)]),
    weak("cerebras-key", &["csk-"], &[Run(Alnum, 40, OPEN)]),
    weak("firecrawl-key", &["fc-"], &[Run(Hex, 32, 32)]),
    token("wandb-key", &["wandb_v1_"], &[Run(Word, 40, OPEN)]),
    weak("e2b-key", &["e2b_"], &[Run(Hex, 36, OPEN)]),
    weak("elevenlabs-key", &["sk_"], &[Run(Hex, 40, 48)]),
    token("logfire-token", &["pylf_v1_", "pylf_v2_"], &[Run(Word, 40, OPEN)]),
    weak("runpod-key", &["rpa_"], &[Run(Alnum, 36, OPEN)]),
    weak("brave-key", &["BSA"], &[Run(Url64, 26, 30)]),
    weak("modal-token", &["ak-", "as-"], &[Run(Alnum, 22, 22)]),
    token("friendli-token", &["flp_"], &[Run(Dotted, 40, OPEN)]),
    token("together-key", &["tgp_v1_"], &[Run(Url64, 40, OPEN)]),
    token("browserbase-key", &["bb_live_", "bb_test_"], &[Run(Url64, 24, OPEN)]),
    token("warp-key", &["wk-"], &[Run(Hex, 64, 64)]),
];
