"""Small models to begin with, as folders: a StarCoder2 of ours, and others as transformers writes them."""

import json

import pyarrow as pa
import tokenizers

from completion.building import model_folder
from starloom.identity import content_id
from starloom.the_stack import tables
from training import packing

QWEN = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
)
QWEN_MORE = ("<|repo_name|>", "<|file_sep|>", "<think>", "</think>")  # tokens that its tokenizer does not call special
SEED_CODER = ("<[begin▁of▁sentence]>", "<[end▁of▁sentence]>", "<[fim-prefix]>", "<[fim-middle]>", "<[fim-suffix]>")
MELLUM = ("<|endoftext|>", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<filename>", "<assistant>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "initializer_range": 0.1,
}


def bytes_and(special, others=()):
    """A tokenizer.json of these tokens, then the 256 bytes."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    model = tokenizers.models.BPE(
        vocab={word: number for number, word in enumerate([*special, *others, *alphabet])}, merges=[]
    )
    made = tokenizers.Tokenizer(model)
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens(list(special))
    made.add_tokens([tokenizers.AddedToken(one, special=False) for one in others])
    return made.to_str().encode()


def tokenizer_folder(folder, data, template="", end="<|endoftext|>"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_bytes(data)
    config = {"eos_token": end, "tokenizer_class": "PreTrainedTokenizerFast"}
    config |= {"chat_template": template} if template else {}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def starcoder2(folder, **shape):
    """Ours, with the byte tokenizer of the tests of training."""
    made = model_folder(
        folder, files={"tokenizer.json": packing.byte_tokenizer()}, vocabulary=294, context=128, **shape
    )
    (made / "LICENSE").write_text("All of it may be used by anybody.\n")
    (made / "README.md").write_text("---\nlicense: openrail++\nlicense_name: ours\n---\n# A model\n")
    return made


def foreign(folder, family="qwen2", seed=0, **shape):
    """A model of transformers' with that family's tokens for fill-in-the-middle."""
    import torch
    import transformers

    kinds = {
        "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM, (QWEN, QWEN_MORE), CHATML),
        "seed-coder": (transformers.LlamaConfig, transformers.LlamaForCausalLM, (SEED_CODER,), ""),
        "mellum": (transformers.LlamaConfig, transformers.LlamaForCausalLM, (MELLUM,), ""),
        "gemma2": (transformers.Gemma2Config, transformers.Gemma2ForCausalLM, (QWEN, QWEN_MORE), ""),
    }
    configuration, network, tokens, template = kinds[family]
    data = bytes_and(*tokens)
    vocabulary = sum(map(len, tokens)) + 256
    torch.manual_seed(seed)
    made = network(
        configuration(**SHAPE | {"vocab_size": vocabulary, "tie_word_embeddings": family == "qwen2"} | shape)
    )
    made.save_pretrained(folder)
    return tokenizer_folder(folder, data, template, tokens[0][1] if family == "seed-coder" else "<|endoftext|>")


def dataset(root, files):
    """`root`/dataset of (repository, path, text), all MIT; the last repository is held out."""
    last = max(repo_name for repo_name, _, _ in files)
    about = {"language": "Python", "license_type": "permissive", "detected_licenses": ["MIT"], "redactions": []}
    rows = [
        about
        | {"repo_name": repo_name, "path": path, "content": text, "length_bytes": len(text.encode())}
        | {"content_id": content_id(text.encode())}
        for repo_name, path, text in sorted(files)
    ]
    splits = {"train": [row for row in rows if row["repo_name"] != last]}
    splits["held_out"] = [row for row in rows if row["repo_name"] == last]

    def write(draft):
        for split, some in splits.items():
            table = pa.Table.from_pylist(some, tables.DATASET_FILES)
            draft.parquet(f"files/{split}-00000.parquet", tables.DATASET_FILES, [table])

    packing.publish(root / tables.DATASET, "write", write, {})
