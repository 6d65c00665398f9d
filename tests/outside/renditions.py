"""All renditions of one photograph, by this house and by what Debian has, in one run: seconds and peak memory.

    cargo build --release -p assets --example renditions
    python3 tests/outside/renditions.py target/release/examples/renditions [PICTURE]

Without a picture, one of 12 megapixels is made with ImageMagick. The set is the same for all: 1200, 480 and 160 pixels
as WebP and JPEG, and the tiles of a Deep Zoom pyramid of 510 pixels as JPEG. ImageMagick knows no pyramid: its tiles are
cut level by level and have no overlap. What is not installed is named and left out.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
SIZES = [("page", 1200), ("card", 480), ("thumbnail", 160)]
JPEG, WEBP, TILE = 82, 80, 80


def run(command, more=None):
    """Seconds by the clock, seconds of processors, and peak kilobytes of a command."""
    begun = time.monotonic()
    child = os.posix_spawnp(
        command[0],
        command,
        {**os.environ, **(more or {})},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
    )
    _, status, used = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(command)}")
    return time.monotonic() - begun, used.ru_utime + used.ru_stime, used.ru_maxrss


def together(commands, more=None):
    """One after the other: seconds add up, memory does not."""
    rounds = [run(command, more) for command in commands]
    clock, processors, memory = zip(*rounds)
    return sum(clock), sum(processors), max(memory)


def ours(binary, picture, folder):
    return together([[binary, picture, folder]])


def vips(picture, folder, threads):
    commands = []
    for name, side in SIZES:
        for suffix, quality in [("webp", WEBP), ("jpg", JPEG)]:
            target = f"{folder}/{name}.{suffix}[Q={quality},strip]"
            size = f"{side}x{side}>"
            commands.append(["vipsthumbnail", picture, "-s", size, "--eprofile", "srgb", "-o", target])
    zoom = ["vips", "dzsave", picture, f"{folder}/zoom", "--tile-size", "510", "--overlap", "1"]
    commands.append([*zoom, "--suffix", f".jpg[Q={TILE},strip]"])
    return together(commands, {"VIPS_CONCURRENCY": str(threads)} if threads else None)


def magick(program, picture, folder, threads):
    command = [program, picture, "-auto-orient", "-strip"]
    for name, side in SIZES:
        command += ["(", "+clone", "-resize", f"{side}x{side}>"]
        command += ["-quality", str(WEBP), "-write", f"{folder}/{name}.webp"]
        command += ["-quality", str(JPEG), "-write", f"{folder}/{name}.jpg", "+delete", ")"]
    command += ["-quality", str(TILE)]
    for level in range(13):
        command += ["(", "+clone", "-crop", "510x510", "+repage", "-write", f"{folder}/{level}_%d.jpg", "+delete", ")"]
        command += ["-resize", "50%"]
    return together([[*command, "null:"]], {"MAGICK_THREAD_LIMIT": str(threads)} if threads else None)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    binary = str(Path(sys.argv[1]).resolve())
    program = shutil.which("magick") or shutil.which("convert")
    with tempfile.TemporaryDirectory() as room:
        picture = sys.argv[2] if len(sys.argv) == 3 else f"{room}/generated.jpg"
        if len(sys.argv) == 2:
            if program is None:
                sys.exit("without ImageMagick, name a picture")
            seeded = ["-seed", "7", "-size", "4000x3000", "plasma:fractal", "-attenuate", "0.4", "+noise", "Gaussian"]
            run([program, *seeded, "-quality", "90", picture])
        print(f"{picture}: {Path(picture).stat().st_size} bytes\n")
        ways = [("this house", lambda folder: ours(binary, picture, folder))]
        if shutil.which("vips") and shutil.which("vipsthumbnail"):
            ways.append(("libvips, one thread", lambda folder: vips(picture, folder, 1)))
            ways.append(("libvips", lambda folder: vips(picture, folder, 0)))
        else:
            print("libvips is not installed (libvips-tools)")
        if program:
            ways.append(("ImageMagick, one thread", lambda folder: magick(program, picture, folder, 1)))
            ways.append(("ImageMagick", lambda folder: magick(program, picture, folder, 0)))
        else:
            print("ImageMagick is not installed")
        print(f"{'by':<26} {'fastest':>9} {'median':>9} {'processors':>11} {'peak memory':>12} {'files':>6} {'bytes':>11}")
        for name, way in ways:
            rounds = []
            for number in range(ROUNDS):
                folder = f"{room}/{name}{number}"
                os.mkdir(folder)
                rounds.append(way(folder))
            made = [path for path in Path(folder).rglob("*") if path.is_file()]
            clock, processors, memory = zip(*rounds)
            seconds, memory = sorted(clock), max(memory) / 1024
            size = sum(path.stat().st_size for path in made)
            fastest, median = f"{seconds[0]:.2f} s", f"{seconds[ROUNDS // 2]:.2f} s"
            used = f"{sorted(processors)[ROUNDS // 2]:.2f} s"
            print(f"{name:<26} {fastest:>9} {median:>9} {used:>11} {memory:>9.0f} MB {len(made):>6} {size:>11}")


main()
