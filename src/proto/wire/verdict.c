/* SPDX-License-Identifier: MIT */
/* verdict - errors of the application's world in the words of the engines. */
#include <postern/engine.h>

enum postern_verdict postern_verdict_of(int err)
{
    switch (err) {
    case POSTERN_E_NOT_FOUND:
        return POSTERN_NO_NOT_FOUND;
    case POSTERN_E_IN_USE:
        return POSTERN_NO_IN_USE;
    case POSTERN_E_READ_ONLY:
        return POSTERN_NO_READ_ONLY;
    case POSTERN_E_AUTH:
        return POSTERN_NO_CREDENTIALS;
    case POSTERN_E_AGAIN:
    case POSTERN_E_IO:
    case POSTERN_E_FULL:
    case POSTERN_E_NOMEM:
        return POSTERN_NO_TEMPORARY;
    default:
        return err < 0 ? POSTERN_NO_PERMANENT : POSTERN_YES;
    }
}
