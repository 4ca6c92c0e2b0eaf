"""The page of a run says how it was fed, and in which order."""

import msgspec

from ledger.model.feed import Feed, FeedPlan, FeedStage, FeedStretch, SkippedBatches
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from tests.publish.pages.parts.test_table_views import text_of
from tests.samples import sample_ledger, sample_reader

FEED = Feed(
    dataset="digits-train@v3",
    verified=False,
    plan=FeedPlan(
        dataset_hash="blake3:" + "0" * 64,
        seed=7,
        global_batch_size=64,
        tail="drop",
        skip=[SkippedBatches(epoch=1, first=3, last=5)],
        stages=[
            FeedStage(samples=1000, order="blocked", block=50),
            FeedStage(from_epoch=2, samples=100, order="weighted", weights={"<b>": 3.0, "b": 1.0}, groups={}),
        ],
    ),
    plan_digest="blake3:" + "a" * 64,
    batch_size=32,
    world=2,
    source="arrays",
    batches=30,
    samples=1920,
    stretches=[FeedStretch(epoch=0, first=0, last=14, batches=15, samples=960, digest="blake3:" + "b" * 64)],
    unique_samples=997,
    wait_seconds=12.5,
    wait_p95_seconds=0.25,
)


def test_the_page_of_a_run_says_how_it_was_fed() -> None:
    contents, blobs = sample_ledger()
    first = contents.runs[0]
    datasets = msgspec.structs.replace(first.record.datasets, feeds=[FEED])
    run = msgspec.structs.replace(first, record=msgspec.structs.replace(first.record, datasets=datasets))
    contents = msgspec.structs.replace(contents, runs=(run, *contents.runs[1:]))
    html = render_run(run, survey(contents, [], None), sample_reader(blobs))[0].content
    said = text_of(html)
    assert "Fed by digits-train@v3" in said
    assert "shuffled by blocks of 50 rows, 1000 samples, seed 7, batches of 32 on each of 2 ranks, 64 together" in said
    assert "drawn with replacement by the weights of labels (&lt;b&gt; 3, b 1), 100 samples" in said
    assert "batches 3 to 5 of epoch 1" in said
    assert "30 batches, 1920 samples, 997 different; epoch 0" in said
    assert "not compared with its hash" in said
    assert "95 of 100 0.3 s at most" in said
    assert f'title="{FEED.stretches[0].digest}"' in html
