"""What a wrong config says: each line of the table is one mistake, its key, and words of the answer."""

# ruff: noqa: E501 - one line per mistake

import re

import pytest

from tests.machine.config_files import kernel

TWO = kernel("ping") + kernel("pong")


def machine(line: str) -> str:
    return f"[machine]\n{line}\n" + TWO


def ping(**keys: str) -> str:
    return kernel("ping", **keys) + kernel("pong")


def window(memory: str = '"4K"', rights: str = '{ ping = "rw" }', name: str = '"ring"') -> str:
    return TWO + f"[[window]]\nname = {name}\nmemory = {memory}\nrights = {rights}\n"


def doorbell(sender: str = '"ping"', receiver: str = '"pong"', vector: str = "0x40") -> str:
    return TWO + f"[[doorbell]]\nfrom = {sender}\nto = {receiver}\nvector = {vector}\n"


def wire(*pairs: str) -> str:
    return TWO + "".join(f"[[wire]]\nbetween = [{ends}]\n" for ends in pairs)


def device(kind: str = "edu", owner: str = "ping", more: str = "", name: str = "d") -> str:
    return f'[[device]]\nname = "{name}"\nkind = "{kind}"\nowner = "{owner}"\n{more}\n'


# fmt: off
MISTAKES = [
    (machine('memory = "1M"'),                 "machine.memory",      "not from 0x200000 to 0xc0000000"),
    (machine('memory = "4G"'),                 "machine.memory",      "not from 0x200000 to 0xc0000000"),
    (machine('memory = "64X"'),                "machine.memory",      """is '64X', not a size like "64M" or "4K\""""),
    (machine("memory = true"),                 "machine.memory",      "is True, not a size"),
    (machine("memory = -4096"),                "machine.memory",      "is -4096, not a size"),
    (machine("cores = 256"),                   "machine.cores",       "not from 1 to 255"),
    (machine("cores = 0"),                     "machine.cores",       "not from 1 to 255"),
    (machine("cores = 1"),                     "kernel.pong.cores",   "asks for 1, but 0 of the machine's 1 are left"),
    (machine("apic_ids = [0, 0]"),             "machine.apic_ids",    "lists 0 twice"),
    (machine("apic_ids = [0, 255]"),           "machine.apic_ids",    "is 255, not from 0 to 254"),
    (machine("apic_ids = [0, 1]\ncores = 3"),  "machine.apic_ids",    "lists 2, but machine.cores is 3"),
    (machine('protection = "gaurd"'),          "machine.protection",  "did you mean guard?"),
    (machine("seed = -1"),                     "machine.seed",        "not from 0 to"),
    (machine('latency = "0s"'),                "machine.latency",     "not from one cycle to 1 s"),
    (machine('latency = "2s"'),                "machine.latency",     "not from one cycle to 1 s"),
    (machine("latency = 5"),                   "machine.latency",     "is 5, not a time like"),
    (machine('rate = "3G"'),                   "machine.rate",        "not from 1000000 to 2000000000"),
    (machine('until = "soon"'),                "machine.until",       "not a time like"),
    (machine("corse = 4"),                     "machine.corse",       "is no key here (did you mean cores?)"),
    (machine("xyzzy = 4"),                     "machine.xyzzy",       "is no key here"),
    ("kernels = 3\n" + TWO,                    "kernels",             "is no key here (did you mean kernel?)"),
    ("machine = 3\n" + TWO,                    "machine",             "is 3, not a table"),
    ("",                                       "kernel",              "is 0 tables [kernel.NAME], not from 1 to 255"),
    ("kernel = 3",                             "kernel",              "is 3 tables"),
    ("[kernel]\nping = 3",                     "kernel.ping",         "is 3, not a table"),
    (kernel('"a b"'),                          "kernel.a b",          "not a name"),
    (kernel("firmware"),                       "kernel.firmware",     "means something else already"),
    (kernel("x" * 32),                         "kernel." + "x" * 32,  "not a name"),
    ("[kernel.a]\nimage = 'movable.elf'",      "kernel.a.memory",     "is missing: sizes to place"),
    (ping(image='"absent.elf"'),               "kernel.ping.image",   "No such file or directory; `make kernels` builds"),
    (ping(image='"."'),                        "kernel.ping.image",   "is a directory, not a file"),
    (ping(image='"/dev/null"'),                "kernel.ping.image",   "is a device, not a file"),
    (ping(image='"initrd"'),                   "kernel.ping.image",   "no format that mksim boots"),
    (ping(image='"a\\u0000b"'),                "kernel.ping.image",   "no file can have this name"),
    (ping(memory='"3000"'),                    "kernel.ping.memory",  "is 0xbb8 bytes, not a number of whole"),
    (ping(memory='"0x1000001-0x1ffffff"'),     "kernel.ping.memory",  "does not begin and end with a 0x1000 byte page"),
    (ping(memory='"0x2000000-0x1ffffff"'),     "kernel.ping.memory",  "ends at 0x1ffffff, before its start at 0x2000000"),
    (ping(memory='"16777216T"'),               "kernel.ping.memory",  "beyond all addresses"),
    (ping(memory="[]"),                        "kernel.ping.memory",  "has 0 entries"),
    (ping(memory='"1G"'),                      "kernel.ping.memory",  "finds no 0x40000000 bytes aligned to 0x200000"),
    (ping(memory='"64K"'),                     "kernel.ping.memory",  "holds no more than the firmware's tables"),
    (ping(memory='"0x2000-0x5fff"'),           "kernel.ping.memory",  "has nothing at or above 0x100000"),
    (ping(memory='"0xff00000-0x100fffff"'),    "kernel.ping.memory",  "the board's memory 0x10000000-0xffffffffff, beyond"),
    (ping(memory='["2M", "0xa0000-0xaffff"]'), "kernel.ping.memory",  "overlaps the board's memory 0xa0000-0xfffff"),
    (ping(memory='["2M", "0x70000-0x70fff"]'), "kernel.ping.memory",  "overlaps the firmware's memory 0x70000-0x9ffff"),
    (ping(memory='["2M", "0x0-0x1fff"]'),      "kernel.ping.memory",  "overlaps the firmware's memory 0x0-0xfff"),
    (ping(image='"fixed.elf"', memory='"0x200000-0x3fffff"'), "kernel.ping.image", "runs only where it was linked"),
    (ping(image='"fixed.elf"', memory='"96K"'), "kernel.ping.image",  "segment 0x1000000-0x100ffff does not fit"),
    (ping(cores="[0, 9]") + "[machine]\ncores = 4", "kernel.ping.cores", "names 9, but the machine has cores 0-3"),
    (ping(cores="[1, 1]"),                     "kernel.ping.cores",   "lists 1 twice"),
    (ping(cores="true"),                       "kernel.ping.cores",   "is True, not an integer"),
    (ping(cmdline='"a\\nb"'),                  "kernel.ping.cmdline", "printable ASCII"),
    (ping(console='"com0"'),                   "kernel.ping.console", 'not "auto", "none", "com1"'),
    (ping(console='"com2"') + 'console = "com2"', "kernel.pong.console", "overlaps ping's ports 0x2f8-0x2ff"),
    (ping(ports="0x10000"),                    "kernel.ping.ports",   "beyond the last possible 0xffff"),
    (ping(ports='"0x2f0-0x2f8"'),              "kernel.pong.console", "overlaps ping's ports 0x2f0-0x2f8"),
    (ping(legacy="true") + "legacy = true",    "kernel.pong.legacy",  "overlaps ping's ports 0x20-0x21"),
    (ping(vga="true") + "vga = true",          "kernel.pong.vga",     "overlaps ping's ports 0x3c0-0x3df, the VGA"),
    (ping(ioapic="1"),                         "kernel.ping.ioapic",  "names 1, but machine.ioapics is 1"),
    (ping(ioapic="0") + "ioapic = 0",          "kernel.pong.ioapic",  "I/O APIC 0 overlaps ping's I/O APIC 0"),
    (ping(modules='["absent"]'),               "kernel.ping.modules", "absent: No such file"),
    (ping(modules='["empty"]'),                "kernel.ping.modules", "is empty"),
    (ping(modules='["initrd"]', memory='"72K"'), "kernel.ping.modules", "has 0x2000 bytes, but beside image"),
    (ping(expect='"exit"'),                    "kernel.ping.expect",  '"exit 0"'),
    (ping(expect='"tripple fault"'),           "kernel.ping.expect",  "did you mean triple fault?"),
    (ping(restarts="-1"),                      "kernel.ping.restarts", "not from 0 to"),
    (window(memory='"0x0-0x300fff"'),     "window.ring.memory",  "overlaps the firmware's memory 0x70000-0x9ffff"),
    (window(memory='"0x0-0xfff"'),             "window.ring.memory",  "overlaps the firmware's memory 0x0-0xfff"),
    (window(rights='{ pign = "r" }'),          "window.ring.rights",  "names 'pign', which is no kernel (did you mean ping?)"),
    (window(rights='{ ping = "rr" }'),         "window.ring.rights.ping", 'is \'rr\', not some of "rwx"'),
    (window(rights="{}"),                      "window.ring.rights",  "not a table like"),
    (window(name='"two words"'),               "window[0].name",      "not a name"),
    (window() + '[[window]]\nname = "ring"\nmemory = "4K"\nrights = { ping = "r" }', "window.ring", "is there twice"),
    (doorbell(receiver='"pogn"'),              "doorbell[0].to",      "names 'pogn', which is no kernel (did you mean pong?)"),
    (doorbell(receiver='"ping"'),              "doorbell[0]",         "is from ping to itself"),
    (doorbell(vector="15"),                    "doorbell[0].vector",  "vectors below 0x10 are illegal"),
    (doorbell(vector='"0x40-0x100"'),          "doorbell[0].vector",  "beyond the last possible 0xff"),
    (doorbell(vector='"smi"'),                 "doorbell[0].vector",  "is 'smi', not a vector"),
    (ping(serial='["com3", "com3"]'),          "kernel.ping.serial",  "lists 2 twice"),
    (ping(serial='"com2"') + 'console = "com2"', "kernel.pong.console", "overlaps ping's ports 0x2f8-0x2ff"),
    (TWO + device("ide"),                      "device.d.kind",       'not one of "edu", "disk"'),
    (TWO + device(owner="pang"),               "device.d.owner",      "names pang, which is no kernel"),
    (TWO + device(more="slot = 32"),           "device.d.slot",       "not from 1 to 31"),
    (TWO + 2 * device(),                       "device",              "two devices have the same name"),
    (TWO + "".join(device(more="slot = 3", name=n) for n in "de"), "device.e.slot", "where ping has d already"),
    (TWO + "".join(device(name=f"d{n}") for n in range(17)), "device", "ping's need 0x1100000 bytes"),
    (TWO + device(more="queues = 2"),          "device.d.queues",     "is for network devices"),
    (TWO + device("nic", more="queues = 5"),   "device.d.queues",     "not from 1 to 4"),
    (TWO + device("nic", more='mac = "x"'),    "device.d.mac",        "not an address"),
    (TWO + device("nic", more='mac = "01:00:00:00:00:00"'), "device.d.mac", "no single device's"),
    (TWO + device("nic", more='heir = "ping"'), "device.d.heir",      "no other kernel"),
    (TWO + device("ivshmem"),                  "device.d.window",     "each has one"),
    (TWO + device("ivshmem", more='window = "w"'), "device.d.window", "no window of more than a page"),
    (TWO + device("disk"),                     "device.d.file",       "is for disks, and each has one"),
    (TWO + device(more='file = "initrd"'),     "device.d.file",       "is for disks, and each has one"),
    (TWO + device("disk", more='file = "absent"'), "device.d.file",   "No such file or directory"),
    (TWO + device("disk", more='file = "/dev/null"'), "device.d.file", "is no regular file"),
    (wire('"ping:com1"'),                      "wire[0].between",     "has 1 entries, not from 2 to 2"),
    (wire('"ping", "pong:com1"'),              "wire[0].between",     'not a kernel and its UART as in "ping:com2"'),
    (wire('"ping:com1", "pong:9"'),            "wire[0].between",     'is \'9\', not "com1"'),
    (wire('"ping:com1", "ping:com1"'),         "wire[0].between",     "lists ping:com1 twice"),
    (wire('"ping:com1", "pong:com3"'),         "wire[0].between",     "names pong:com3, but pong owns no such UART"),
    (wire('"pign:com1", "pong:com2"'),         "wire[0].between",     "names pign:com1, but pign owns no such UART"),
    (wire(*['"ping:com1", "pong:com2"'] * 2),  "wire[1].between",     "a wire is plugged in already (wire[0].between)"),
    ("window = 3\n" + TWO,                     "window",              "is 3 tables [[window]]"),
    (TWO + "[expect]\nviolations = -1",        "expect.violations",   "not from 0 to"),
]
# fmt: on


@pytest.mark.parametrize(("config", "key", "words"), MISTAKES, ids=[f"{m[1]}: {m[2]}"[:60] for m in MISTAKES])
def test_a_mistake_is_told_once_with_its_key(folder, config, key, words):
    told = folder.problems(config)
    assert [text for at, text in told if at == key and words in text], told
    assert len({at for at, _ in told}) == 1, told


def test_tables_that_would_not_fit_are_told_before_the_firmware_finds_out(folder):
    bell = '[[doorbell]]\nfrom = "ping"\nto = "pong"\nvector = 0x40\n'
    assert folder.problems(TWO + bell * 500) == []
    told = folder.problems(TWO + bell * 1100)
    assert [key for key, text in told if "bytes of tables" in text] == ["kernel.ping", "kernel.pong"]


def test_a_partition_table_that_would_not_fit_is_told_as_well(folder):
    many = "".join(kernel(f"k{index}", memory='"1M"') for index in range(66))
    ((_, text),) = folder.problems(many + '[[doorbell]]\nfrom = "*"\nto = "*"\nvector = 0x40\n')
    assert "more than 4096 doorbells" in text
    lines = "".join(kernel(f"k{index}", cmdline=f'"{"x" * 2000}{index}"') for index in range(40))
    ((_, text),) = folder.problems(lines)
    assert "the partition table has" in text


def test_an_iommu_has_an_owner_and_room(folder):
    assert folder.problems(TWO + '[iommu]\nowner = "pong"\n') == []
    assert folder.problems(TWO + '[iommu]\nowner = "each"\n') == []
    ((key, text),) = folder.problems(TWO + '[iommu]\nowner = "pogn"\n')
    assert (key, text.split(",")[0]) == ("iommu.owner", "names pogn")
    ((key, text),) = folder.problems('[machine]\nmemory = "3G"\n' + TWO + "[iommu]\n")
    assert key == "machine.memory"
    assert "no room for the IOMMU's tables" in text
    many = "".join(kernel(f"k{index}", ioapic=str(index)) for index in range(17))
    ((key, text),) = folder.problems("[machine]\nioapics = 17\n" + many + "[iommu]\n")
    assert (key, text.split(",")[0]) == ("iommu", "needs 17 units")


def test_all_mistakes_are_told_at_once(folder):
    told = folder.problems(
        """
        [machine]
        memory = "64M"
        cores = 2
        sede = 3
        [kernel.ping]
        image = "fixed.elf"
        memory = "0x1000000-0x1ffffff"
        cores = [0, 1]
        [kernel.pong]
        image = "absent.elf"
        memory = ["0x1800000-0x27fffff", "0x9f000-0x9ffff"]
        cores = [1, 5]
        console = "com1"
        [[window]]
        name = "ring"
        memory = "0x27ff000-0x2800fff"
        rights = { ping = "rw", pogn = "z" }
        [[doorbell]]
        from = "pign"
        to = "pong"
        vector = 3
        """
    )
    keys = [key for key, _ in told]
    assert sorted(keys) == [
        "doorbell[0].from",
        "doorbell[0].vector",
        "kernel.pong.cores",
        "kernel.pong.cores",
        "kernel.pong.image",
        "kernel.pong.memory",
        "kernel.pong.memory",
        "machine.sede",
        "window.ring.memory",
        "window.ring.rights",
        "window.ring.rights.pogn",
    ]


def test_a_problem_reads_file_key_and_both_ranges(folder):
    text = kernel("ping", memory='"0x1000000-0x1ffffff"') + kernel("pong", memory='"0x1800000-0x27fffff"')
    assert folder.problems(text) == [
        (
            "kernel.pong.memory",
            "pong's memory 0x1800000-0x27fffff overlaps ping's memory 0x1000000-0x1ffffff (kernel.ping.memory)",
        )
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[kernel.a\n", "is no TOML: .*line 1, column 10"),
        ("a = 1\na = 2\n", "is no TOML: .*line 2"),
        ("a = [" * 2000, "is no TOML: .*(nests too deeply|line)"),
        ("a" * 10000, "line 1 has over 8192 bytes or 128 dots"),
        ("\n" + "a." * 200 + "b = 1", "line 2 has over 8192 bytes or 128 dots"),
        ("#\n" * 200000, "is larger than"),
        ("a = " + "9" * 5000, "is no TOML"),
    ],
)
def test_what_is_no_toml_says_where(folder, text, words):
    ((key, told),) = folder.problems(text)
    assert key == ""
    assert re.search(words, told)
