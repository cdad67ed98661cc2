"""python export.py: checkpoint.pt -> model.safetensors (f16, Hugging Face names) and config.json"""

import json

import torch

import model
import safetensors_io

PROJECTIONS = {
    "q": "self_attn.q_proj",
    "k": "self_attn.k_proj",
    "v": "self_attn.v_proj",
    "o": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": model.WIDTH,
    "intermediate_size": model.FEED_FORWARD,
    "num_hidden_layers": model.LAYERS,
    "num_attention_heads": model.HEADS,
    "num_key_value_heads": model.KV_HEADS,
    "head_dim": model.HEAD_DIM,
    "vocab_size": model.VOCABULARY,
    "rms_norm_eps": model.NORM_EPSILON,
    "rope_theta": model.ROPE_THETA,
    "hidden_act": "silu",
    "tie_word_embeddings": True,
    "max_position_embeddings": 8192,
    "bos_token_id": 0,
    "eos_token_id": 1,
    "attention_bias": False,
    "mlp_bias": False,
    "torch_dtype": "float16",
}


def hugging_face_names(P):
    out = {"model.embed_tokens.weight": P["emb"], "model.norm.weight": P["norm"]}
    for l in range(model.LAYERS):
        prefix = f"model.layers.{l}."
        out[prefix + "input_layernorm.weight"] = P[f"{l}.n1"]
        out[prefix + "post_attention_layernorm.weight"] = P[f"{l}.n2"]
        for short, name in PROJECTIONS.items():
            out[f"{prefix}{name}.weight"] = P[f"{l}.{short}"]
    return out


def main():
    P = torch.load("checkpoint.pt")["P"]
    arrays = {name: p.detach().half().numpy() for name, p in hugging_face_names(P).items()}
    safetensors_io.save("model.safetensors", arrays)
    with open("config.json", "w") as f:
        json.dump(CONFIG, f, indent=1)


if __name__ == "__main__":
    main()
