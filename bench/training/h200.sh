#!/bin/bash
# What needs a GPU, on one H200: which backends of attention are there and how fast, StarCoder2-3B's step at 4,096 and
# 16,384 tokens beside transformers', a 111M model trained, killed, resumed and taken to long context. Needs PyTorch,
# triton, transformers, numpy, pyarrow, safetensors and tokenizers; neither a network nor an installed Starloom.
#
#     bench/training/h200.sh [--small] [probe] [step-4096] [step-16384] [run]
#
# Results: $OUT (default: bench/results/h200), written after each measurement. --small: tiny shapes, to see on any
# machine that it runs.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(realpath -m "${OUT:-bench/results/h200}")
export PYTHONPATH="$PWD/src:$PWD/bench${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
export PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True
small=()
if [ "${1-}" = --small ]; then
    small=(--small)
    shift
fi
parts=("$@")
if [ ${#parts[@]} = 0 ]; then
    parts=(probe step-4096 step-16384 run)
fi
mkdir -p "$out"
if command -v nvidia-smi >/dev/null; then
    nvidia-smi --query-gpu=name,driver_version,power.limit,clocks.max.sm --format=csv,noheader | tee "$out/gpu.txt"
fi
for part in "${parts[@]}"; do
    case $part in
    probe) python3 -m training.gpu.probe --out "$out" "${small[@]}" ;;
    step-*) python3 -m training.gpu.step --out "$out" --length "${part#step-}" "${small[@]}" ;;
    run)
        more=()
        if [ ${#small[@]} -gt 0 ]; then
            more=(--steps 60 --long-steps 10 --megabytes 3)
        fi
        python3 -m training.gpu.run --out "$out" "${small[@]}" "${more[@]}"
        ;;
    *)
        echo "no part $part: probe, step-4096, step-16384, run" >&2
        exit 2
        ;;
    esac
done
