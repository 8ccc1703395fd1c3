"""The registry's storage: is there no room left, or is there merely not much?

A disk that is nearly full is no fault. It is one when not even a small layer fits, or when little is left and the
registry itself said, within the last hour, that a write found no space.
"""

from __future__ import annotations

from cargo_runbook.facts.path import PathFacts
from cargo_runbook.facts.storage import (
    SCARCE,
    TIGHT,
    Complaint,
    Disk,
    HostStorage,
    Space,
    StorageFacts,
    below,
    is_tight,
)
from cargo_runbook.findings import Finding, Link, Verdict
from cargo_runbook.rules.catalog import finding
from cargo_runbook.texts import Text

SPACE, INODES, OTHER_DISK = "CRG720", "CRG721", "CRG722"
CODES = (SPACE, INODES, OTHER_DISK)

FULL = 1024
"""KiB. An upload needs a few for its own records even before the first byte of a layer."""

FEW = 16
"""Inodes that one small upload takes (its folders, data, hash states and links)."""

RECENT = 3600.0
"""Seconds within which a complaint of the registry counts."""


def _exhausted(space: Space | None, amount: int) -> bool:
    # `left` holds root's reserve, into which a registry that runs as root may still write.
    return space is not None and space.total > 0 and space.left < amount


def judge_storage(path: PathFacts, facts: StorageFacts) -> tuple[Finding, ...]:
    """CRG720, CRG721 and CRG722."""
    found: list[Finding] = []
    for code in CODES:
        each = [_judge(code, seen, facts) for seen in facts.hosts]
        worst = [f for verdict in _WEIGHT for f in each if f.status is verdict]
        if worst:
            well = worst[0].status is Verdict.OK and code != OTHER_DISK
            found.append(_all_well(code, facts) if well else worst[0])
    return tuple(found)


_WEIGHT = (Verdict.FAULT, Verdict.UNKNOWN, Verdict.OK, Verdict.SKIPPED)


def _judge(code: str, seen: HostStorage, facts: StorageFacts) -> Finding:
    where = f"cargo host {seen.host}"
    if seen.unasked:
        return finding(code, Verdict.SKIPPED, where, Text(f"{seen.host} could not be asked", f"未能查询 {seen.host}"))
    if seen.elsewhere:
        summary = Text(
            f"the registry stores layers in {seen.elsewhere}, on no disk of {seen.host}",
            f"registry 把镜像层存放在 {seen.elsewhere}，不在 {seen.host} 的磁盘上",
        )
        return finding(code, Verdict.OK, where, summary)
    disk = seen.disk
    if disk is None:
        summary = Text(
            f"the free space of {seen.folder} on {seen.host} could not be asked",
            f"无法查询 {seen.host} 上 {seen.folder} 的剩余空间",
        )
        untold = Link(seen.evidence, summary, Text("not tested", "未测试"))
        return finding(code, Verdict.UNKNOWN, where, summary, untold)
    if code == OTHER_DISK:
        return _judge_disk(seen, disk, where)
    space, least, little = (disk.blocks, FULL, TIGHT) if code == SPACE else (disk.inodes, FEW, SCARCE)
    recent = tuple(c for c in seen.complaints if c.age is None or c.age <= RECENT)
    if _exhausted(space, least) or (below(space, little) and recent and _is_the_tighter(code, disk)):
        return finding(code, Verdict.FAULT, where, _no_room(code, seen, space), *_chain(code, seen, recent, facts))
    return finding(code, Verdict.OK, where, _room(code, seen, disk))


def _is_the_tighter(code: str, disk: Disk) -> bool:
    """Whether a write that found no space is to be laid at this one's door: blocks, unless the inodes are gone."""
    return (code == INODES) == (_exhausted(disk.inodes, FEW) or not below(disk.blocks, TIGHT))


def _judge_disk(seen: HostStorage, disk: Disk, where: str) -> Finding:
    outside = seen.outside.blocks if seen.outside else None
    if seen.inside is None or outside is None or disk.blocks is None:
        return finding(
            OTHER_DISK, Verdict.OK, where, Text("the registry's disk was not compared", "未比较 registry 的磁盘")
        )
    if disk.blocks.total == outside.total or not is_tight(seen.disk) or below(outside, TIGHT):
        summary = Text(
            f"container and host see the same disk, {outside.filesystem}",
            f"容器与主机看到的是同一磁盘 {outside.filesystem}",
        )
        return finding(OTHER_DISK, Verdict.OK, where, summary)
    summary = Text(
        f"the registry on {seen.host} writes to {disk.blocks.filesystem} ({_size(disk.blocks.left)} left), "
        f"while the host has {outside.filesystem} ({_size(outside.left)} left) at {seen.source}",
        f"{seen.host} 的 registry 写入 {disk.blocks.filesystem}（剩余 {_size(disk.blocks.left)}），"
        f"而主机在 {seen.source} 挂载的是 {outside.filesystem}（剩余 {_size(outside.left)}）",
    )
    links = (
        Link(
            disk.blocks_evidence,
            Text(
                f"in the container {seen.folder} is {_told(disk.blocks)}",
                f"容器内 {seen.folder} 是 {_told(disk.blocks)}",
            ),
            Text("this is where uploads go", "上传写入这里"),
        ),
        Link(
            seen.outside.blocks_evidence if seen.outside else "",
            Text(f"on the host {seen.source} is {_told(outside)}", f"主机上 {seen.source} 是 {_told(outside)}"),
            Text(
                "it was mounted after the container started; the container keeps what was there before",
                "它在容器启动之后才挂载，容器仍使用之前的目录",
            ),
        ),
    )
    return finding(OTHER_DISK, Verdict.FAULT, where, summary, *links)


def _all_well(code: str, facts: StorageFacts) -> Finding:
    said = [_room(code, seen, seen.disk) for seen in facts.hosts if seen.disk is not None]
    elsewhere = [Text(seen.elsewhere, seen.elsewhere) for seen in facts.hosts if seen.elsewhere]
    texts = said + elsewhere
    summary = Text("; ".join(t.en for t in texts), "；".join(t.zh for t in texts))
    links = tuple(
        Link(
            disk.inodes_evidence if code == INODES else disk.blocks_evidence,
            _room(code, seen, disk),
            Text("uploads fit", "可以写入上传的内容"),
        )
        for seen in facts.hosts
        if (disk := seen.disk) is not None
    )
    return finding(code, Verdict.OK, "cargo host", summary, *links)


def _room(code: str, seen: HostStorage, disk: Disk | None) -> Text:
    space = None if disk is None else disk.inodes if code == INODES else disk.blocks
    if space is None or space.total == 0:
        return Text(f"{seen.host}: not counted there", f"{seen.host}：该文件系统不计数")
    if code == INODES:
        return Text(f"{seen.host}: {space.left} inodes left", f"{seen.host}：剩余 {space.left} 个 inode")
    few = below(space, TIGHT)
    return Text(
        f"{seen.host}: {_size(space.available)} left{', which is little; no upload has failed for it' if few else ''}",
        f"{seen.host}：剩余 {_size(space.available)}{'，空间不多，但没有上传因此失败' if few else ''}",
    )


def _no_room(code: str, seen: HostStorage, space: Space | None) -> Text:
    assert space is not None
    if code == INODES:
        return Text(
            f"the disk under the registry's {seen.folder} on {seen.host} has {space.left} of {space.total} inodes left",
            f"{seen.host} 上 registry 的 {seen.folder} 所在磁盘只剩 {space.left} 个 inode（共 {space.total}）",
        )
    return Text(
        f"the disk under the registry's {seen.folder} on {seen.host} is full: "
        f"{_size(space.available)} of {_size(space.total)} left",
        f"{seen.host} 上 registry 的 {seen.folder} 所在磁盘已满：{_size(space.total)} 中剩余 {_size(space.available)}",
    )


def _chain(code: str, seen: HostStorage, recent: tuple[Complaint, ...], facts: StorageFacts) -> tuple[Link, ...]:
    views = (
        (seen.inside, Text(f"the registry's container sees at {seen.folder}", f"registry 容器内 {seen.folder}")),
        (seen.outside, Text(f"{seen.host} itself sees at {seen.source}", f"{seen.host} 主机上 {seen.source}")),
    )
    links = []
    for disk, place in views:
        space = None if disk is None else disk.inodes if code == INODES else disk.blocks
        if disk is None or space is None:
            continue
        evidence = disk.inodes_evidence if code == INODES else disk.blocks_evidence
        told = f"{space.left} inodes left of {space.total}" if code == INODES else _told(space)
        links.append(
            Link(
                evidence,
                Text(f"{place.en}: {told}", f"{place.zh}：{told}"),
                Text("an upload can't be written", "上传的内容无法写入"),
            )
        )
    if recent:
        links.append(
            Link(
                seen.complaints_evidence,
                Text(
                    f"the registry's log says `no space left on device` {len(recent)} time(s) within the hour",
                    f"registry 日志在一小时内出现 {len(recent)} 次 `no space left on device`",
                ),
                Text("it answered docker push with 500", "它对 docker push 返回了 500"),
            )
        )
    if code == SPACE and facts.harbor_total:
        free, total = _size(facts.harbor_free // 1024), _size(facts.harbor_total // 1024)
        links.append(
            Link(
                facts.harbor_evidence,
                Text(f"Harbor counts {free} free of {total}", f"Harbor 统计：{total} 中剩余 {free}"),
                Text(
                    "Harbor looks at its own data folder, which may lie on another disk",
                    "Harbor 看的是自己的数据目录，可能在另一块磁盘上",
                ),
            )
        )
    return tuple(links)


def _told(space: Space) -> str:
    return f"{space.filesystem}, {_size(space.available)} left of {_size(space.total)}"


def _size(kib: int) -> str:
    """KiB as people write it: `512 KiB`, `12.3 GiB`."""
    amount, unit = float(kib), "KiB"
    for bigger in ("MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, bigger
    return f"{amount:.0f} {unit}" if unit == "KiB" or amount >= 100 else f"{amount:.1f} {unit}"
