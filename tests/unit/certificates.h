/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Certificates for tests: made by `openssl req -x509`, their keys thrown away. Two are good until 2126, one ended in 2002. */
#pragma once

#define UNIT_CA_ONE                                                                                                    \
    "-----BEGIN CERTIFICATE-----\n"                                                                                    \
    "MIIBpjCCAUugAwIBAgIUAxvB0W90cgeYTd2HKQtCy6q5R3AwCgYIKoZIzj0EAwIw\n"                                               \
    "JzEUMBIGA1UECgwLTXVzdGVyZmlybWExDzANBgNVBAMMBkNBIG9uZTAgFw0yNjEx\n"                                               \
    "MjExNDI5MjNaGA8yMTI2MTAyODE0MjkyM1owJzEUMBIGA1UECgwLTXVzdGVyZmly\n"                                               \
    "bWExDzANBgNVBAMMBkNBIG9uZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABPic\n"                                               \
    "nsmVo+edH/C46mWOQc+eYAAQm9ts6ppeCk49nNnCK5MVsEEHf+guEYDnPPsNv7sn\n"                                               \
    "wE7G/ZIB0HUnirwetlOjUzBRMB0GA1UdDgQWBBROk0+XQBfikbdln2QYMHxR+hnN\n"                                               \
    "pDAfBgNVHSMEGDAWgBROk0+XQBfikbdln2QYMHxR+hnNpDAPBgNVHRMBAf8EBTAD\n"                                               \
    "AQH/MAoGCCqGSM49BAMCA0kAMEYCIQChH6+HQY2elYdKcuJ20eXwYg7tbYUR765H\n"                                               \
    "GghRQ1bbJgIhANPSAFJX1qUUaedQaQDFAvKFu3ipJjgnkux3MFvdWK6E\n"                                                       \
    "-----END CERTIFICATE-----\n"

#define UNIT_CA_TWO                                                                                                    \
    "-----BEGIN CERTIFICATE-----\n"                                                                                    \
    "MIIBpDCCAUugAwIBAgIUXxYerqslwG9C/+3r/DGpm7BC3OkwCgYIKoZIzj0EAwIw\n"                                               \
    "JzEUMBIGA1UECgwLTXVzdGVyZmlybWExDzANBgNVBAMMBkNBIHR3bzAgFw0yNjEx\n"                                               \
    "MjExNDI5MjNaGA8yMTI2MTAyODE0MjkyM1owJzEUMBIGA1UECgwLTXVzdGVyZmly\n"                                               \
    "bWExDzANBgNVBAMMBkNBIHR3bzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJWe\n"                                               \
    "0txluk9gLl4twRu0FEQeGIyeolDM2F+xNCTLZDGkHQq6X9ZM/Fxz61RZT9beiNTC\n"                                               \
    "wouTTEZyvJpQxi/knTOjUzBRMB0GA1UdDgQWBBQsi/wShOMkuZtWKUnpwWMumcQ+\n"                                               \
    "kzAfBgNVHSMEGDAWgBQsi/wShOMkuZtWKUnpwWMumcQ+kzAPBgNVHRMBAf8EBTAD\n"                                               \
    "AQH/MAoGCCqGSM49BAMCA0cAMEQCIBXYYAaUMY1Eksg3yh/Lr0xEKRptUhOy/DYN\n"                                               \
    "og7+sqCQAiAL1TlItelfCD7VxOjy51FPGglD8+snd5Vb4ToOapdpyg==\n"                                                       \
    "-----END CERTIFICATE-----\n"

#define UNIT_CA_OLD                                                                                                    \
    "-----BEGIN CERTIFICATE-----\n"                                                                                    \
    "MIIBNDCB3AIBATAKBggqhkjOPQQDAjAnMRQwEgYDVQQKDAtNdXN0ZXJmaXJtYTEP\n"                                               \
    "MA0GA1UEAwwGQ0Egb2xkMB4XDTAxMDEwMTAwMDAwMFoXDTAyMDEwMTAwMDAwMFow\n"                                               \
    "JzEUMBIGA1UECgwLTXVzdGVyZmlybWExDzANBgNVBAMMBkNBIG9sZDBZMBMGByqG\n"                                               \
    "SM49AgEGCCqGSM49AwEHA0IABDt37deA0Vg71L7dXT3QKSeqU3SClDkuNkZFWSyz\n"                                               \
    "CfYhE6w5Pg9tiMQInOjg+cfjBPk8Giz9+TRBUWg+5SdAcRgwCgYIKoZIzj0EAwID\n"                                               \
    "RwAwRAIgRky+v/WCk6VZOPvRgFQpTTjX6LtMCE3pv9C/ITt9yncCIHp90oI7zPD6\n"                                               \
    "oMF6a1gDjM4WW2SmSgcQsgdvHn6kBFtj\n"                                                                               \
    "-----END CERTIFICATE-----\n"
