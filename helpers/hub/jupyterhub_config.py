"""JupyterHub's settings for a class on one server: the machine's own accounts, and a private copy of the course each.

`sudo python3 -m helpers hub` starts it; README.md beside this file says what to do before, and how to change it.
"""

import os
import pwd
import sys
from pathlib import Path

from helpers import course, hub

MEMORY = 8 * 2**30  # bytes that a process of a learner may ask for: a net, since what is asked for is seldom all used
IDLE = 3600  # seconds without a sign of life after which a learner's server is stopped; the notebooks are saved

c = get_config()  # noqa: F821  JupyterHub gives it to this file
own = Path(sys.prefix) / "bin"

# What the hub and its learners' servers write is for their owner alone.
hub.STATE.mkdir(exist_ok=True)
os.umask(0o077)
c.JupyterHub.db_url = f"sqlite:///{hub.STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{hub.STATE}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = f"{hub.STATE}/proxy.pid"
c.ConfigurableHTTPProxy.command = [hub.PROXY]
os.environ.setdefault("NODE_PATH", "/usr/share/nodejs")  # Debian's proxy under another Node.js than Debian's

# Who may log in: the accounts of one group, with the machine's passwords.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {hub.GROUP}

# A learner's server: under the learner's account, with this environment's Python, JupyterLab and kernel.
c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"
os.environ["PATH"] = f"{own}{os.pathsep}{os.environ['PATH']}"  # in a learner's terminal too
c.Spawner.cmd = ["prlimit", f"--data={MEMORY}", str(own / "jupyterhub-singleuser")]
c.Spawner.mem_limit = MEMORY
c.Spawner.http_timeout = c.Spawner.start_timeout = 120  # seconds; thirty servers start at once when a class begins
c.Spawner.disable_user_config = True  # no settings file of a learner changes what their server lets others do
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # kernels talk through files: on a port every account could listen to the outputs
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
]


def kernels_folder(spawner) -> str:
    """Where those files are: their names may have no more than 107 characters, home folder included."""
    return f"{pwd.getpwnam(spawner.user.name).pw_dir}/.kernels"


def close_home(spawner) -> None:
    """A home folder is for its owner alone, however the account was made."""
    os.chmod(pwd.getpwnam(spawner.user.name).pw_dir, 0o700)


c.Spawner.pre_spawn_hook = close_home

# The course: each start of a server copies it from this clone, or what is new in it, and opens the first page.
settings = hub.STATE / "gitconfig"  # git copies from another account's folder only where it is told to
settings.write_text(
    f"[include]\n\tpath = /etc/gitconfig\n[safe]\n\tdirectory = {hub.ROOT}\n\tdirectory = {hub.ROOT}/.git\n"
)
settings.chmod(0o644)
c.Spawner.environment = {
    "GIT_CONFIG_SYSTEM": str(settings),
    "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment
    "JUPYTER_RUNTIME_DIR": kernels_folder,
}
c.Spawner.default_url = hub.page(course.lessons()[0], hub.ROOT.as_uri())

# A server that nobody uses is stopped.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
