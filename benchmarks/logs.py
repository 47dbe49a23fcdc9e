"""Logs of four kinds, made by rule: thousands of kinds of lines, most of them rare, new ones for as long as it goes on,
some of which speak of the same things as the incidents; and incidents to plant in them, each with a question that
describes it in other words.

    python benchmarks/logs.py KIND TOKENS > some.log
"""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

KINDS = ("web", "build", "system", "application")
CHARACTERS = 2.4  # a token of such lines, about

_NAMES = """
amara bjorn carla dmitri elena farid greta hiro ines jonas kavita lars mei nadia otto priya quinn rosa
"""
_HOSTS = """
atlas borealis cygnus draco eridanus fornax gemini hydra indus lyra
"""
SERVICES = ("systemd", "cron", "sshd", "kernel", "dbus", "NetworkManager", "snapd", "postfix")
_AREAS = """
account address alert archive audit avatar badge basket batch billing bookmark calendar campaign catalog category
channel checkout comment contact contract coupon currency customer dashboard delivery device discount document draft
dispatch event export favourite feature feed filter folder form gallery gateway glossary group import index
inventory invoice job label ledger locale location mailbox menu message metric newsletter note notification offer
order outlet package parcel partner passkey pipeline plan playlist policy preview price product profile project
promotion quota rating receipt recommendation refund region reminder report reservation review route sale schedule
search segment session setting shelf shipment slot statement stock subscription summary supplier survey tag tariff
task team template theme thread ticket timeline token tour translation unit variant vendor voucher warehouse webhook
widget wishlist workflow zone
"""
_DOING = """
accepting adjusting allocating annotating applying assembling assigning balancing binding building caching
calculating checking cleaning closing collecting comparing compiling composing computing confirming converting
copying counting creating decoding delivering deriving encoding enqueuing evaluating expanding exporting fetching
filtering finishing flushing formatting grouping importing indexing initialising inspecting joining linking listing
loading locating mapping matching measuring merging migrating moving normalising notifying opening ordering packing
parsing planning polling preparing probing publishing pushing ranking reading rebuilding receiving recording
refreshing registering releasing removing rendering replacing replaying resolving restoring resuming reviewing
rotating sampling scanning scheduling selecting sending serialising signing sorting splitting starting storing
streaming submitting summarising switching syncing tagging tracing transforming translating trimming unpacking
updating uploading validating verifying visiting warming watching writing
"""
_DETAILS = """
with {n} workers
in {ms} ms
for user {user}
from {host}
to {host}
as {id}
after {n} attempts
with priority low
with priority normal
(batch {n} of {n2})
using profile standard
using profile compact
on shard {n}
from the nightly run
by request of {user}
at revision {id}
since {n} entries changed
with {n} entries left
from cache
without changes
in background
as planned
for tenant {host}
over {n} pages
within limits
at rate {n}/s
in one piece
in {n} pieces
with defaults
by policy
on demand
again
"""
_GRUMBLES = """
slow answer while {doing} {area} {detail}
retrying {area}: peer closed early {detail}
deprecated option {area}-{area2} is still set
no {area} for {user}, using the default
{area} {id} is older than expected
{area} has no {area2} yet, skipped
field {area}_{area2} is empty {detail}
cannot parse {area} date, kept as text
queue {area}-{area2} is longer than usual ({n})
user {user} gave a wrong {area} {detail}
unknown {area} header was ignored
{doing} {area} took {ms} ms
{area} {area2} was already there
client left while {doing} {area}
ignoring a duplicate {area} {detail}
"""
NAMES, HOSTS, AREAS, DOING = (text.split() for text in (_NAMES, _HOSTS, _AREAS, _DOING))
DETAILS, GRUMBLES = _DETAILS.strip().splitlines(), _GRUMBLES.strip().splitlines()


@dataclass(frozen=True, slots=True)
class Incident:
    """`lines` are wordings of what happened; `question` asks about it in other words."""

    kind: str
    question: str
    lines: tuple[str, ...]


# A kind and a question, and two lines that say what it asks.
_INCIDENTS = """
web: Is somebody trying to guess passwords?
{ip} auth: {n} failed logins for account {user} in 60 seconds, last reason bad credentials
auth: brute force threshold reached for {user} from {ip}, {n} rejected sign-ins

web: Was a certificate no longer valid?
tls: handshake with {host} aborted, x509 has expired on day {n}
ssl: peer {host} presented an expired cert, serial {id}

web: Did a server become unreachable behind the proxy?
upstream {host}:8080 refused connection while proxying, marked down
balancer: backend {host} is offline after {n} missed health probes

web: Was somebody blocked for sending too many requests?
limiter: client {ip} throttled, exceeded {n} requests per minute
rate limit hit by {ip}, answering 429 for the next {n} s

web: Did somebody try to inject SQL?
waf: denied query string containing "' OR 1=1 --" from {ip}
waf: rule {n} matched UNION SELECT in parameter q from {ip}

web: Has anyone's payment been declined?
payments: card of customer {n} was rejected by the issuer, code 51
checkout: charge {id} failed, bank says insufficient funds

web: Did somebody get administrator rights?
accounts: {user} was promoted to role superuser by {user}
acl: granted admin privileges to {user}

web: Is a crawler ignoring robots.txt?
bots: spider from {ip} fetched {n} disallowed paths
bots: user agent harvest/{n} walks pages that robots rules forbid

build: Did the compiler run out of memory?
cc1plus: virtual memory exhausted: cannot allocate {n} bytes
clang: error: unable to execute command: Killed, out of RAM at {n} MB

build: Is a library missing at link time?
/usr/bin/ld: cannot find -l{area}: No such file
ld: undefined reference to symbol {area}_{area2}_init, collect2 returned 1

build: Did any test fail?
FAILED tests/test_{area}.py::test_{area2} - AssertionError: {n} != {n2}
test suite {area}: {n} passed, 1 broken (expected {n}, got {n2})

build: Does a dependency have a known vulnerability?
audit: package {area}-utils {n}.2 is affected by CVE-2024-{n}, severity high
advisory: {area}-core before {n}.1 allows remote code execution

build: Was a download corrupted?
fetch: checksum mismatch for {area}-{n}.tar.gz, expected {id}
fetch: {area}.zip is damaged, sha256 differs from lock file

build: Are two versions of a package in conflict?
resolver: {area} 2.{n} requires {area2}<3 but {area2} 3.{n} is pinned
resolver: incompatible requirements for {area}: >=4 and <3.{n}

build: Did the build stop because the disk was full?
error: write of {area}.o failed: No space left on device
ar: cannot append to lib{area}.a: ENOSPC, 0 bytes free

build: Was a signature wrong?
gpg: BAD signature from key {id} on release {n}
codesign: {area}.pkg does not satisfy its designated requirement, seal broken

system: Was a process killed for lack of memory?
kernel: Out of memory: Killed process {n} ({area}d) total-vm:{n}kB
kernel: oom-killer invoked by {area}d, sacrificed child {n}

system: Is a disk dying?
smartd: /dev/sda: {n} Currently unreadable (pending) sectors
kernel: ata2.00: failed command: READ DMA, unrecoverable media error at sector {n}

system: Did the machine get too hot?
kernel: CPU{n}: Core temperature above threshold, cpu clock throttled
thermald: zone {n} reached {n2} degrees, shutting fans to maximum

system: Did the network cable come loose?
kernel: eth0: NIC Link is Down
kernel: enp{n}s0: carrier lost, no signal on port

system: Was a USB device plugged in?
kernel: usb 1-{n}: new high-speed device number {n} using xhci_hcd
kernel: scsi host{n}: usb-storage attached, removable stick {n} GB

system: Has the clock jumped?
chronyd: System time was stepped by {n}.3 seconds
ntpd: local time off by {n} s, correcting at once

system: Did a program crash?
kernel: {area}d[{n}]: segfault at 0 ip {id} sp {id} error 4
systemd-coredump: Process {n} ({area}d) dumped core with signal 11

system: Was a file system damaged?
kernel: EXT4-fs error (device sdb1): inode {n}: bad extent header, corrupted
fsck: /dev/sdb1: UNEXPECTED INCONSISTENCY, superblock invalid

application: Was the database unreachable?
pool: could not obtain a connection to postgres on {host} within {ms} ms
db: server {host}:5432 closed all sessions, nobody answers

application: Are two transactions waiting for each other?
db: deadlock detected between tx {n} and tx {n2}, rolled back
lock manager: cycle of {n} waiters broken by aborting {id}

application: Was customer data deleted?
retention: purged {n} user records permanently by order of {user}
admin: {user} dropped table customers ({n} rows)

application: Did a backup not succeed?
snapshot: nightly dump aborted, archive is incomplete at {n} %
vault: copy to offsite storage gave up after {n} errors

application: Did somebody log in from an unusual country?
risk: {user} signed in from a place never seen before (geo {n})
session: location anomaly, {user} appeared abroad at {ip}

application: Was a message lost?
broker: event {id} dropped after {n} redeliveries, never acknowledged
queue: discarded undelivered item {id}, dead letter box is off

application: Is a secret being written to the log?
config dump: api_key=sk_live_{id} env=production
http: Authorization: Bearer {id}{id} was sent to {host}

application: Did a configuration change break something?
settings: reload rejected, key {area}.{area2} is invalid, service halted
rollout: revision {n} of parameters reverted since {n2} pods would not start
"""
# What is harmless, and speaks of the same things.
_HARMLESS = """
web
auth: {user} signed in from {ip} with a passkey
tls: certificate of {host} was renewed, valid for {n} days
balancer: backend {host} passed its health probe after {n} ms
limiter: {n} clients are far below their quota
waf: {n} rules were loaded, none matched so far
payments: card of customer {n} was charged, code 00
accounts: {user} changed the display name
bots: spider from {ip} fetched robots.txt and left

build
cc1plus: peak memory was {n} bytes, well below the limit
ld: linked lib{area}.so against {n} libraries
test suite {area}: {n} passed, 0 broken
audit: {n} packages were looked at, none is affected by anything
fetch: {area}-{n}.tar.gz matches its checksum {id}
resolver: {area} and {area2} agree on 2.{n}
disk: {n} GB are free for objects
gpg: good signature from key {id} on release {n}

system
kernel: {area}d uses {n} kB of memory, as before
smartd: /dev/sda: self-test number {n} passed
thermald: zone {n} is at {n2} degrees, fans are quiet
kernel: eth0: NIC Link is Up {n} Mbps full duplex
kernel: usb hub 1-{n}: {n2} ports, all of them empty
chronyd: clock is synchronised, offset 0.000{n} s
systemd: {area}d ended normally with status 0
fsck: /dev/sdb1: clean, {n} files

application
pool: {n} connections to postgres on {host} are idle
db: tx {n} committed without waiting
retention: kept all {n} user records, none is old enough
snapshot: nightly dump is complete, {n} MB
risk: {user} signed in from the usual place
broker: event {id} was acknowledged at once
http: Authorization header was present, not logged
settings: revision {n} is valid and was taken over
"""


def _blocks(text: str) -> Iterator[list[str]]:
    return (block.splitlines() for block in text.strip().split("\n\n"))


HARMLESS = {kind: tuple(lines) for kind, *lines in _blocks(_HARMLESS)}
INCIDENTS = tuple(Incident(*head.split(": ", 1), tuple(lines)) for head, *lines in _blocks(_INCIDENTS))


class Log:
    """An endless log. `drawn` is what chance has decided so far; the same `seed`, the same lines."""

    def __init__(self, kind: str, seed: int = 0, common: int = 400, rare: float = 0.002) -> None:
        """`common`: kinds of lines drawn from at first. `rare`: the share of lines that are of a kind never seen."""
        self.drawn = random.Random(f"{kind} {seed}")
        self.kind = kind
        self.time = datetime(2026, 3, 1)
        self._rare = rare
        self._forms = [self._form() for _ in range(common)]
        self._weights = [1 / (rank + 3) for rank in range(common)]

    def lines(self) -> Iterator[str]:
        """Without their ends. A form of its own that comes up joins the common ones now and then."""
        while True:
            if self.drawn.random() < self._rare / 2:
                form = self.drawn.choice(HARMLESS[self.kind])
            elif self.drawn.random() < self._rare:
                form = self._form()
                self._forms[self.drawn.randrange(len(self._forms) // 2, len(self._forms))] = form
            else:
                form = self.drawn.choices(self._forms, self._weights)[0]
            for part in form.split("\n"):
                yield self.written(part)

    def written(self, form: str) -> str:
        """A line of this form, at this moment of the log."""
        self.time += timedelta(milliseconds=self.drawn.expovariate(1 / 120))
        return f"{self._prefix()}{self._filled(form)}"

    def _prefix(self) -> str:
        draw = self.drawn
        match self.kind:
            case "web":
                return f"{self.time:%Y-%m-%dT%H:%M:%S}Z web-{draw.randint(1, 6)} "
            case "build":
                return f"[{draw.randint(1, 4000)}/4000] " if draw.random() < 0.5 else f"{self.time:%H:%M:%S} "
            case "system":
                return f"{self.time:%b %d %H:%M:%S} {draw.choice(HOSTS)} "
        return f"{self.time:%Y-%m-%d %H:%M:%S},{self.time.microsecond // 1000:03} [pool-{draw.randint(1, 9)}] "

    def _form(self) -> str:
        """A kind of line that was never seen, with the names of its values."""
        draw = self.drawn
        fixed = {"doing": draw.choice(DOING), "area": draw.choice(AREAS), "area2": draw.choice(AREAS)}
        detail = draw.choice(DETAILS)
        keep = {name: f"{{{name}}}" for name in ("n", "n2", "ms", "id", "ip", "user", "host")}
        text = draw.choice(GRUMBLES) if draw.random() < 0.15 else "{doing} {area} {area2} {detail}"
        text = " ".join(text.format(**fixed, detail=detail, **keep).split())
        level = "WARN" if draw.random() < 0.5 else ""
        make = {"web": self._web, "build": self._build, "system": self._system, "application": self._application}
        return make[self.kind](fixed["area"], fixed["area2"], text, level)

    def _web(self, area: str, area2: str, text: str, _level: str) -> str:
        draw = self.drawn
        if draw.random() < 0.5:
            verb = draw.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE"))
            status = draw.choice(("200", "200", "200", "204", "301", "304", "404", "500"))
            return f'{{ip}} "{verb} /{area}/{area2}/{{n}} HTTP/1.1" {status} {{n}} {{ms}}ms'
        return f"{area}: {text}"

    def _build(self, area: str, area2: str, text: str, _level: str) -> str:
        draw = self.drawn
        if draw.random() < 0.5:
            return f"{draw.choice(('CC', 'CXX', 'LD', 'AR', 'GEN', 'COPY'))} {area}/{area2}_{{n}}.o"
        if draw.random() < 0.1:
            return f"{area}/{area2}.c:{{n}}:{{n2}}: warning: unused variable '{draw.choice(AREAS)}'"
        return f"{draw.choice(('--', 'note:', 'info:', '=>'))} {text}"

    def _system(self, _area: str, _area2: str, text: str, _level: str) -> str:
        return f"{self.drawn.choice(SERVICES)}[{{n}}]: {text}"

    def _application(self, area: str, _area2: str, text: str, level: str) -> str:
        draw = self.drawn
        level = level or draw.choice(("INFO", "INFO", "INFO", "DEBUG"))
        line = f"{level} {area.title()}{draw.choice(('Service', 'Worker', 'Client', 'Store'))} - {text}"
        if draw.random() >= 0.02:
            return line
        trace = "\n".join(
            f"    at com.shop.{draw.choice(AREAS)}.{draw.choice(AREAS).title()}.run(Line.java:{{n}})" for _ in range(3)
        )
        error = f"java.lang.IllegalArgumentException: bad {area}"
        return f"ERROR {area.title()}Service - {text}\n{error}\n{trace}"

    def _filled(self, form: str) -> str:
        draw = self.drawn
        values: dict[str, object] = {
            "n": draw.randint(2, 5000),
            "n2": draw.randint(2, 90),
            "ms": draw.randint(1, 900),
            "id": f"{draw.getrandbits(48):012x}",
            "ip": f"10.{draw.randint(0, 255)}.{draw.randint(0, 255)}.{draw.randint(1, 254)}",
            "user": draw.choice(NAMES),
            "host": draw.choice(HOSTS),
            "area": draw.choice(AREAS),
            "area2": draw.choice(AREAS),
        }
        for name, value in values.items():
            form = form.replace(f"{{{name}}}", str(value))
        return form


def main() -> None:
    kind, tokens = sys.argv[1], int(sys.argv[2])
    written = 0
    for line in Log(kind).lines():
        sys.stdout.write(line + "\n")
        written += len(line) + 1
        if written > tokens * CHARACTERS:
            return


if __name__ == "__main__":
    main()
