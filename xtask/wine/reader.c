/* reader.exe FILE UNTIL: holds FILE open for reading as programs do that let nobody replace it meanwhile (a spreadsheet, a
   virus scanner), until UNTIL exists. Says "open" when it has it. */
#include <stdio.h>
#include <windows.h>

int wmain(int argc, wchar_t **argv)
{
    HANDLE file;

    if (argc != 3)
        return 2;
    file = CreateFileW(argv[1], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "reader.exe: error %lu\n", GetLastError());
        return 3;
    }
    puts("open");
    fflush(stdout);
    while (GetFileAttributesW(argv[2]) == INVALID_FILE_ATTRIBUTES)
        Sleep(20);
    CloseHandle(file);
    return 0;
}
