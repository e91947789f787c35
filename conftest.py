"""Tests and examples, and whatever they execute, read and write nobody's predictions."""

import os

os.environ["TALKS_PREDICTIONS"] = "off"
collect_ignore = ["helpers/hub/jupyterhub_config.py"]  # it is read by JupyterHub alone
