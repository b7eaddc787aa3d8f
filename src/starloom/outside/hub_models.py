"""Models that strangers made, opened by transformers: safetensors only, none of their code run, nothing fetched, and
without a word: what matters of its warnings becomes an error of ours."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from starloom.errors import UserError

Classifier = Literal["token", "text"]
_CLASSES = {"token": "AutoModelForTokenClassification", "text": "AutoModelForSequenceClassification"}
_TAUGHT = {"token": "label tokens", "text": "classify"}


def open_classifier(folder: Path, kind: Classifier, device: str) -> tuple[Any, Any]:
    """(tokenizer, model in evaluation mode, float32). Raises UserError where transformers is missing, or the folder
    holds no such model."""
    try:
        import torch
        import transformers
    except ModuleNotFoundError as problem:
        raise UserError(
            f"a {kind} classifier needs {problem.name}, which is not installed", "pip install 'starloom[train,models]'"
        ) from None
    safely = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quiet():
            suffix = _CLASSES[kind].removeprefix("AutoModel")
            kinds = transformers.AutoConfig.from_pretrained(str(folder), **safely).architectures or ()
            if kinds and not any(one.endswith(suffix) for one in kinds):
                raise UserError(
                    f"{folder} is a {kinds[0]}, no {kind} classifier", f"give a model that was made to {_TAUGHT[kind]}"
                )
            tokenizer: Any = transformers.AutoTokenizer.from_pretrained(str(folder), use_fast=True, **safely)
            opened: Any = getattr(transformers, _CLASSES[kind]).from_pretrained(
                str(folder), use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safely
            )
        model = opened[0].to(device).eval()
    except UserError:
        raise
    except Exception as problem:  # of a stranger's files, in transformers, tokenizers, safetensors or torch
        first = (str(problem).splitlines() or [type(problem).__name__])[0]
        raise UserError(
            f"{folder} cannot be opened as a {kind} classifier: {first}",
            "it must hold config.json, safetensors weights and a tokenizer; no code of its own",
        ) from None
    if missing := sorted(map(str, opened[1]["missing_keys"])):  # transformers would make them up
        raise UserError(
            f"{folder} is no {kind} classifier: its weights lack {missing[0]}",
            f"give the folder of a model that was trained to {_TAUGHT[kind]}, not of a base model",
        )
    return tokenizer, model


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """transformers without bars and warnings."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
