# SPDX-License-Identifier: GPL-3.0-or-later
from trytond.pool import Pool

from . import res


def register():
    Pool.register(res.User, module="richtfest", type_="model")
