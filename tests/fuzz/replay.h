/* SPDX-License-Identifier: MIT */
/* replay - a main() that runs a fuzz target over every file of a folder; fails when there is
 * none. */
#ifdef FUZZ_REPLAY
#include <dirent.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    static uint8_t data[1 << 20];
    char path[4096];
    int count = 0;
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "rb");
        if (!file)
            continue;
        LLVMFuzzerTestOneInput(data, fread(data, 1, sizeof data, file));
        fclose(file);
        count++;
    }
    if (folder)
        closedir(folder);
    return count ? 0 : 1;
}
#endif
