"""An SSH connection that also leads to a Unix socket of the host, as `ssh -L` does (AllowStreamLocalForwarding).

paramiko opens no such channel by itself. The message is the usual one with three more fields.
Source: OpenSSH, PROTOCOL, section 2.4 (direct-streamlocal@openssh.com).
"""

from __future__ import annotations

import paramiko
from paramiko.common import cMSG_CHANNEL_OPEN

from cargo_runbook.connections.docker.daemon import SOCKET

_KIND = "direct-streamlocal@openssh.com"
_FRONT = paramiko.Message()
_FRONT.add_byte(cMSG_CHANNEL_OPEN)
_FRONT.add_string(_KIND)


class Transport(paramiko.Transport):
    """A connection to a host, which also leads to dockerd's socket there."""

    def open_unix(self, timeout: float) -> paramiko.Channel:
        """A connection to the socket.

        Raises:
            paramiko.SSHException: there is none, or the host's sshd opens none.
        """
        return self.open_channel(_KIND, timeout=timeout)

    def _send_user_message(self, data: paramiko.Message) -> None:
        if data.asbytes().startswith(_FRONT.asbytes()):
            data.add_string(SOCKET)
            data.add_string("")
            data.add_int(0)
        super()._send_user_message(data)  # type: ignore[misc]
