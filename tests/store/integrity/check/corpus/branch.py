"""What is done to the branch: everything but growing."""

from ledger.model.paths import run_path
from tests.store.integrity.check.corpus.register import hostile, record_of
from tests.store.integrity.check.forge import REGULAR, Forge, Proposed


@hostile("history", "changed after it was added")
def a_modified_record(forge: Forge) -> str:
    return forge.put({record_of(forge): forge.content(record_of(forge)).replace(b"0.5", b"0.9")})


@hostile("history", "removed")
def a_deleted_record(forge: Forge) -> str:
    return forge.put({record_of(forge): None})


@hostile("history", "removed")
def a_renamed_record(forge: Forge) -> str:
    return forge.put({record_of(forge): None, **forge.run(), "x.json": forge.content(record_of(forge))})


@hostile("history", "changed after it was added")
def a_change_that_is_undone_in_the_same_push(forge: Forge) -> str:
    good = forge.content(record_of(forge))
    return forge.put({record_of(forge): good}, forge.put({record_of(forge): good.replace(b"0.5", b"0.9")}))


@hostile("history", "removed")
def a_removal_that_is_undone_in_the_same_push(forge: Forge) -> str:
    return forge.put({record_of(forge): forge.content(record_of(forge))}, forge.put({record_of(forge): None}))


@hostile("history", "removed")
def a_record_that_is_added_and_taken_back(forge: Forge) -> str:
    run = forge.run()
    return forge.put(dict.fromkeys(run), forge.put(run))


@hostile("history", "removed")
def a_merge_that_drops_an_entry(forge: Forge) -> str:
    side = forge.put(forge.run())
    return forge.put({record_of(forge): None}, forge.put(forge.run()), merged=[side])


@hostile("history", "removed")
def a_merge_that_drops_what_the_other_side_added(forge: Forge) -> str:
    ours = forge.put(forge.run())
    return forge.commit(forge.tree(forge.files(ours)), [ours, forge.put(forge.run())])


@hostile("history", "removed")
def an_octopus_that_drops_an_entry(forge: Forge) -> str:
    sides = [forge.put(forge.run()) for _ in range(3)]
    return forge.put({record_of(forge): None}, sides[0], merged=sides[1:])


@hostile("history", "changed after it was added")
def an_octopus_that_changes_an_entry(forge: Forge) -> str:
    sides = [forge.put(forge.run()) for _ in range(4)]
    return forge.put({record_of(forge): b"{}\n"}, sides[0], merged=sides[1:])


@hostile("history", "a second beginning", anywhere=True)
def a_second_beginning(forge: Forge) -> str:
    other = forge.commit(forge.tree({b"format": (REGULAR, forge.blob(b"1\n"))}))
    return forge.put(forge.run(), merged=[other])


@hostile("history", "rewound or rewritten")
def a_force_push(forge: Forge) -> Proposed:
    good = forge.put(forge.run())
    return Proposed(tip=forge.put(forge.run()), since=good)


@hostile("history", "rewound or rewritten")
def a_rewound_branch(forge: Forge) -> Proposed:
    return Proposed(tip=forge.base, since=forge.put(forge.run()))


@hostile("history", "rewound or rewritten")
def an_unrelated_branch(forge: Forge) -> Proposed:
    return Proposed(tip=forge.commit(forge.tree(forge.files())), since=forge.base)


@hostile("history", "committed in the future", anywhere=True)
def a_commit_from_the_future(forge: Forge) -> str:
    return forge.put(forge.run(), seconds=forge.now + 40 * 365 * 86_400)


@hostile("history", "committed in the future", anywhere=True)
def a_date_beyond_every_calendar(forge: Forge) -> str:
    return forge.put(forge.run(), seconds=99_999_999_999_999)


@hostile("plausible", "recorded more than a day after")
def a_commit_from_before_there_were_dates(forge: Forge) -> str:
    return forge.put(forge.run(), seconds=0)


@hostile("history", "added to an existing entry")
def a_log_added_to_a_run_that_stands(forge: Forge) -> str:
    return forge.put({f"{run_path(forge.run_id)}/log.txt": b"all went well\n"})


@hostile("history", "added to an existing entry")
def a_figure_added_to_a_run_that_stands(forge: Forge) -> str:
    return forge.put({f"{run_path(forge.run_id)}/figures/a.png": b"\x89PNG\r\n\x1a\n"})


@hostile("history", "added to an existing entry")
def shards_added_to_a_version_that_stands(forge: Forge) -> str:
    return forge.put({"manifests/digits/v1/0/0.jsonl": b"{}\n"})


@hostile("history", "it belongs to no entry")
def a_log_of_no_run(forge: Forge) -> str:
    return forge.put({f"{run_path(forge.new_id())}/log.txt": b"x\n"})


@hostile("history", "changed after it was added")
def another_format(forge: Forge) -> str:
    return forge.put({"format": b"2\n"})


@hostile("history", "removed")
def no_format(forge: Forge) -> str:
    return forge.put({"format": None})


@hostile("history", "does not read")
def a_newer_ledger(forge: Forge) -> Proposed:
    return Proposed(tip=forge.commit(forge.tree({b"format": (REGULAR, forge.blob(b"2\n"))})), since=None)


@hostile("history", "this branch is not a ledger")
def a_branch_of_code(forge: Forge) -> Proposed:
    return Proposed(tip=forge.commit(forge.tree({b"train.py": (REGULAR, forge.blob(b"x"))})), since=None)


@hostile("history", "removed")
def no_policy(forge: Forge) -> str:
    return forge.put({"policy.yaml": None})


@hostile("history", "changed after it was added")
def another_manifest_of_a_version(forge: Forge) -> str:
    return forge.put({"datasets/digits/v1/manifest.jsonl": b"{}\n"})


@hostile("history", "changed after it was added")
def another_environment(forge: Forge) -> str:
    return forge.put({f"{run_path(forge.run_id)}/environment.json": b"{}\n"})


@hostile("history", "removed")
def every_run_removed(forge: Forge) -> str:
    return forge.put({"runs": None})


@hostile("history", "changed after it was added")
def a_record_that_becomes_a_link(forge: Forge) -> str:
    return forge.put({record_of(forge): (b"120000", forge.blob(b"/etc/passwd"))})


@hostile("history", "changed after it was added")
def a_record_that_becomes_executable(forge: Forge) -> str:
    return forge.put({record_of(forge): (b"100755", forge.blob(forge.content(record_of(forge))))})


@hostile("history", "removed")
def a_record_that_becomes_a_folder(forge: Forge) -> str:
    return forge.put({record_of(forge): None, f"{record_of(forge)}/x": b""})


@hostile("history", "git cannot read this history", anywhere=True)
def a_commit_without_its_tree(forge: Forge) -> str:
    return forge.commit("1" * 40, [forge.base])


@hostile("history", "git cannot read this history", anywhere=True)
def a_tree_cut_short(forge: Forge) -> str:
    return forge.commit(forge.write("tree", b"100644 record.json\0\1\2\3"), [forge.base])


@hostile("history", "git cannot read this history", anywhere=True)
def a_name_that_is_empty(forge: Forge) -> str:
    return forge.commit(forge.raw_tree([(b"", REGULAR, forge.blob(b"x"))]), [forge.base])


@hostile("content", "its content is missing")
def a_file_without_content(forge: Forge) -> str:
    return forge.put({next(iter(forge.run())): (REGULAR, "2" * 40)})


@hostile("content", "in the place of a file")
def a_commit_as_the_content_of_a_file(forge: Forge) -> str:
    return forge.put({next(iter(forge.run())): (REGULAR, forge.base)})


@hostile("history", "taken for an option")
def a_branch_that_begins_with_a_dash(forge: Forge) -> Proposed:
    return Proposed(tip=forge.put(forge.run()), since=forge.base, ref="refs/heads/--upload-pack=touch canary")
