"""A tiny random Transformer through the Trainer, unedited: what it leaves is what there is."""

import json

import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
model = BertForSequenceClassification(
    BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
)


class Data(torch.utils.data.Dataset):
    def __init__(self, start):
        self.start = start

    def __len__(self):
        return 32

    def __getitem__(self, at):
        words = torch.randint(50, (8,), generator=torch.Generator().manual_seed(self.start + at))
        return {"input_ids": words, "attention_mask": torch.ones(8, dtype=torch.long), "labels": words.sum() % 2}


arguments = TrainingArguments(
    output_dir="out_hf", num_train_epochs=2, per_device_train_batch_size=8, logging_steps=2, eval_strategy="epoch",
    save_strategy="epoch", report_to=[], seed=0, use_cpu=True, disable_tqdm=True,
)  # fmt: skip
trainer = Trainer(model=model, args=arguments, train_dataset=Data(0), eval_dataset=Data(1000))
trainer.train()
trainer.save_model("out_hf/final")
trainer.state.save_to_json("out_hf/trainer_state.json")
last = [row for row in trainer.state.log_history if "eval_loss" in row][-1]
print(json.dumps({"eval_loss": last["eval_loss"], "parameters": model.num_parameters()}))
