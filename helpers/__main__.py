"""The project's commands: python3 -m helpers lab | test | run | record | replicate | handout | book | hub | doctor."""

import argparse
import os
import sys

from helpers import environment

START = environment.NOTEBOOKS / "0_start_here.ipynb"
BOOK_LOCK = environment.ROOT / "helpers" / "book" / "requirements.txt"
BROWSER_LOCK = environment.ROOT / "tests" / "browser" / "requirements.txt"
HUB_LOCK = environment.ROOT / "helpers" / "hub" / "requirements.txt"
BINDER_LOCK = environment.ROOT / "tests" / "browser" / "binder.txt"


def main() -> int:
    """Reads the command, makes sure that the environment stands, and does the job inside it."""
    options, rest = parser().parse_known_args()
    if rest and options.command != "test":
        parser().error("unknown: " + " ".join(rest))
    try:
        if options.command == "doctor":
            return doctor(options.port)
        fault = environment.python_too_old()
        if fault:
            raise fault
        environment.ensure()
        if not environment.running_inside():
            environment.hand_over(["-m", "helpers"] + sys.argv[1:])
        return JOBS[options.command](options, rest) or 0
    except environment.Fault as fault:
        print(fault, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python3 -m helpers", description=__doc__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    commands.required = True
    lab = commands.add_parser("lab", help="open JupyterLab at the start page")
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening a browser")
    test = commands.add_parser("test", help="run every test; what else follows is passed to pytest")
    test.add_argument("--all", action="store_true", help="install all that any test needs; skip no test")
    run = commands.add_parser("run", help="execute lessons from top to bottom; say what they take")
    run.add_argument("lessons", nargs="*", metavar="LESSON", help="such as 3.1; all lessons if none is named")
    run.add_argument("--save", action="store_true", help="write the outputs back into the notebooks; and --measure")
    run.add_argument("--measure", action="store_true", help="keep what the lessons take in data/measured/lessons.csv")
    record = commands.add_parser("record", help="compute what a lesson shows as recorded")
    record.add_argument("lesson", metavar="LESSON")
    replicate = commands.add_parser("replicate", help="run a lesson under several seeds; count its verdicts")
    replicate.add_argument("lesson", metavar="LESSON")
    replicate.add_argument("--seeds", type=_positive, default=5, metavar="N", help="seeds 0 to N-1 (default: 5)")
    replicate.add_argument("--save", action="store_true", help="write the verdicts to data/replicated/")
    handout = commands.add_parser("handout", help="write a lesson for a class, with and without answers, and slides")
    handout.add_argument("lesson", metavar="LESSON")
    handout.add_argument("--hub", metavar="ADDRESS", help="print the link that opens it on a JupyterHub instead")
    handout.add_argument("--repository", metavar="ADDRESS", help="where the hub copies the course from")
    commands.add_parser("book", help="make the book, a site in site/, from the stored lessons")
    hub = commands.add_parser("hub", help="start JupyterHub for a class on this machine (helpers/hub/README.md)")
    hub.add_argument("--port", type=_port, default=8000, metavar="N", help="(default: 8000)")
    hub.add_argument("--certificate", metavar="FILE", default="", help="with it and its key the hub is on the network")
    hub.add_argument("--key", metavar="FILE", default="")
    doctor = commands.add_parser("doctor", help="say what is wrong with this machine, and the remedy")
    for command in (lab, doctor):
        command.add_argument("--port", type=_port, default=8888, metavar="N", help="(default: 8888)")
    return top


def lab(options, _) -> None:
    """Opens JupyterLab at the start page, on this machine's own address and with the server's token."""
    fault = environment.not_writable() or environment.port_taken(options.port)
    if fault:
        raise fault
    if not START.exists():
        raise environment.Fault("The start page notebooks/{} is missing.".format(START.name), "git restore notebooks")
    print("JupyterLab starts. To stop it, press Ctrl-C here twice.")
    start = START.relative_to(environment.ROOT).as_posix()
    arguments = ["--ServerApp.root_dir={}".format(environment.ROOT), "--LabApp.default_url=/lab/tree/" + start]
    arguments += ["--ServerApp.ip=127.0.0.1", "--ServerApp.port={}".format(options.port), "--ServerApp.port_retries=0"]
    arguments += ["--Application.log_level=WARN", "--LabApp.news_url=None"]
    arguments += ["--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in many containers; Jupyter would refuse
        arguments.append("--allow-root")
    environment.hand_over(["-m", "jupyterlab"] + arguments + ["--no-browser"] * options.no_browser)


def test(options, pytest_arguments) -> None:
    """Runs the tests and the examples in the docstrings."""
    if options.all:
        for lock in (BOOK_LOCK, BROWSER_LOCK, HUB_LOCK, BINDER_LOCK):
            environment.add(lock)
        os.environ["TALKS_TEST_ALL"] = "1"
    environment.hand_over(["-m", "pytest", "--rootdir", str(environment.ROOT)] + pytest_arguments)


def run(options, _) -> int:
    """Executes lessons and prints a table of what they take."""
    from helpers import course, notebooks

    lessons = [_lesson(number) for number in options.lessons] or course.lessons()
    return notebooks.run(lessons, options.save, course.TAKEN if options.save or options.measure else None)


def record(options, _) -> None:
    """Computes the points of a lesson's recordings that are still missing."""
    from helpers import recordings

    recordings.record(_lesson(options.lesson))


def replicate(options, _) -> int:
    """Executes a lesson under several seeds and prints how often each verdict came out."""
    from helpers import notebooks

    return notebooks.replicate(_lesson(options.lesson), seeds=options.seeds, save=options.save)


def handout(options, _) -> None:
    """Writes a lesson for a class into handouts/: without answers, with them, as slides, and the teacher's page.

    With the address of a hub it prints the link that opens the lesson there.
    """
    if options.hub:
        from helpers import course, hub

        print(hub.link(_lesson(options.lesson), options.hub, options.repository or course.course().repository))
        return
    environment.add(BOOK_LOCK)  # it brings reveal.js, for the slides
    from helpers import handout

    for path in handout.write(_lesson(options.lesson)):
        print(path.relative_to(environment.ROOT).as_posix())


def book(_, __) -> int:
    """Makes the book; what that takes is installed first."""
    environment.add(BOOK_LOCK)
    from helpers import book

    return book.build()


def hub(options, _) -> None:
    """Starts JupyterHub with helpers/hub/jupyterhub_config.py; what it takes is installed first."""
    from helpers import hub

    for fault in hub.faults():
        raise fault
    arguments = hub.arguments(options.port, options.certificate, options.key)
    environment.add(HUB_LOCK)
    hub.prepare()
    print("JupyterHub starts. To stop it, press Ctrl-C here.")
    os.chdir(str(environment.ROOT))
    environment.hand_over(arguments)


def doctor(port: int) -> int:
    """Prints what is right and what is wrong with this machine; 1 if anything is wrong."""
    wrong = 0
    for name, fault in environment.check_up(port):
        print("[wrong] {}".format(fault).replace("\n", "\n        ") if fault else "[ok]    " + name, flush=True)
        wrong += fault is not None
    print("\nAll is well." if not wrong else "\n{} to mend.".format(wrong))
    return 1 if wrong else 0


def _lesson(number: str):
    from helpers import course

    try:
        return course.lesson(number)
    except ValueError as error:
        raise environment.Fault(str(error), "name one of them.") from None


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError("a whole number from 1 up, not " + text)
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError("a port is a whole number from 1 to 65535, not " + text)
    return int(text)


JOBS = {"lab": lab, "test": test, "run": run, "record": record, "replicate": replicate}
JOBS |= {"handout": handout, "book": book, "hub": hub}

if __name__ == "__main__":
    sys.exit(main())
