package org.slotwise.benchmark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Resident memory of this process. Linux only. */
final class Resident {

    private Resident() {}

    /** The most that a pass takes beyond what there was before, in MB (10^6 bytes). */
    static double peak(Runnable pass) {
        try {
            settle();
            Files.writeString(Path.of("/proc/self/clear_refs"), "5");
            double before = megabytes("VmRSS");
            pass.run();
            return megabytes("VmHWM") - before;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Collects garbage until the heap has given back what it does, which it does on its own time.
     */
    static void settle() throws IOException {
        double last;
        double now = megabytes("VmRSS");
        do {
            last = now;
            System.gc();
            try {
                Thread.sleep(300);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            now = megabytes("VmRSS");
        } while (Math.abs(now - last) > 1);
    }

    /** Megabytes of an entry of /proc/self/status. */
    static double megabytes(String entry) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(entry + ":")) {
                return Double.parseDouble(line.replaceAll("[^0-9]", "")) * 1024 / 1e6;
            }
        }
        throw new IOException("no " + entry + " in /proc/self/status");
    }
}
