/* console.exe FILE PROGRAM ARGUMENT...: runs a program on a console of its own, which a test has none of, and presses
   Ctrl-C on it once FILE exists. Ends with the program's exit code. */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
    STARTUPINFOW start = {.cb = sizeof start};
    PROCESS_INFORMATION child;
    wchar_t line[32768] = L"";
    DWORD code = 1;

    if (argc < 3)
        return 2;
    for (int i = 2; i < argc; i++) {
        /* No test's argument has quotation marks or ends in a backslash. */
        _snwprintf(line + wcslen(line), 32767 - wcslen(line), L"%ls\"%ls\"", i > 2 ? L" " : L"", argv[i]);
    }
    start.dwFlags = STARTF_USESTDHANDLES;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    /* Whatever it began on. */
    FreeConsole();
    AllocConsole();
    if (!CreateProcessW(NULL, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) {
        fprintf(stderr, "console.exe: cannot start it: error %lu\n", GetLastError());
        return 3;
    }
    /* The event goes to all on the console, and this program is to outlive it. */
    SetConsoleCtrlHandler(NULL, TRUE);
    while (WaitForSingleObject(child.hProcess, 20) == WAIT_TIMEOUT) {
        if (GetFileAttributesW(argv[1]) == INVALID_FILE_ATTRIBUTES)
            continue;
        if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
            fprintf(stderr, "console.exe: no Ctrl-C: error %lu\n", GetLastError());
        WaitForSingleObject(child.hProcess, INFINITE);
    }
    GetExitCodeProcess(child.hProcess, &code);
    return (int)code;
}
