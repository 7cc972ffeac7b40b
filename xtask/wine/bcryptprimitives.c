/* bcryptprimitives.dll for Wine before 9, which lacks it: Rust's standard library takes its random numbers from there.
   Its one function there over the one that Wine has (RtlGenRandom under its exported name). For tests alone: on Windows
   the system's own is there. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID bytes, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T length)
{
    while (length > 0) {
        ULONG part = length < (1u << 20) ? (ULONG)length : (1u << 20);
        if (!SystemFunction036(bytes, part))
            return FALSE;
        bytes += part;
        length -= part;
    }
    return TRUE;
}
