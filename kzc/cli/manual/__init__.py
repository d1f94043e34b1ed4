# SPDX-License-Identifier: GPL-2.0-only
"""The manual: texts on topics, and man pages made of these and of the command line.

As git does: kzc(1) names all, kzc-VERB(1) is one for each verb, kzc-TOPIC(7) one for each topic.
Nothing here imports more than typer and markdown-it-py, as the wheel's build makes the pages too.
"""
