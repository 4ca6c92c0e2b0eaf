import torch
from ledger.integrations.transformers import TransformersCallback
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

torch.manual_seed(0)
model = BertForSequenceClassification(
    BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
)
data = [
    {"input_ids": words, "attention_mask": torch.ones(8, dtype=torch.long), "labels": words.sum() % 2}
    for words in torch.randint(50, (64, 8))
]
arguments = TrainingArguments(
    output_dir="out", num_train_epochs=2, per_device_train_batch_size=8, weight_decay=0.01, logging_steps=2,
    eval_strategy="epoch", save_strategy="epoch", metric_for_best_model="accuracy", load_best_model_at_end=True,
    report_to=[], use_cpu=True, disable_tqdm=True,
)  # fmt: skip
trainer = Trainer(
    model, arguments, train_dataset=data[:32], eval_dataset=data[32:],
    compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(-1) == found.label_ids).mean())},
    callbacks=[TransformersCallback("with-transformers")],
)  # fmt: skip
trainer.train()
trainer.predict(data[32:48])
