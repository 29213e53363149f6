package org.slotwise.training;

import com.sun.jna.Function;
import java.util.Map;

/**
 * What the process does with memory of the host that the engine has freed.
 *
 * <p>The engine frees arrays and asks for others as large all the time. The allocator of the GNU C
 * library gives large ones back to the system at once, which then has to find, and to clear, every
 * page anew: of a training step of some hundred milliseconds that can be a fifth, on virtual
 * machines most of all (docs/performance.md, "Memory that is kept"). It does so earlier in threads
 * that Java made, and {@code main} is one of these, than in a program's first thread.
 *
 * <p>{@link #keep} is for programs whose purpose is to train or to predict: it is a setting of the
 * whole process, which then stays as large as it ever was. The library does not call it by itself.
 * Variables of the environment say the same, for any program ({@link #environment}).
 */
public final class HostMemory {

    /** Parameters of {@code mallopt}, of malloc.h. */
    private static final int TRIM_THRESHOLD = -1;

    private static final int TOP_PAD = -2;
    private static final int MMAP_THRESHOLD = -3;

    /**
     * Arrays up to 1 GB, as far as a heap holds them, are not fetched and given back one by one.
     */
    private static final int LARGEST = 1 << 30;

    /** What older versions of the library take. */
    private static final int LARGEST_BEFORE = 32 << 20;

    /** More than two heaps of a thread other than the first one hold: none is ever taken down. */
    private static final int TWO_HEAPS = 128 << 20;

    private HostMemory() {}

    /**
     * Keeps memory that is freed, for the next arrays. Call it once, before the first array is
     * made; later calls change nothing.
     *
     * @return whether the GNU C library's allocator does so now: false on systems other than Linux
     *     with that library, where everything stays as it is. Of another allocator that is loaded
     *     before it nothing is said
     */
    public static boolean keep() {
        if (!System.getProperty("os.name", "").equals("Linux")) {
            return false;
        }
        try {
            Function mallopt = Function.getFunction("c", "mallopt");
            return (set(mallopt, MMAP_THRESHOLD, LARGEST)
                            || set(mallopt, MMAP_THRESHOLD, LARGEST_BEFORE))
                    && set(mallopt, TRIM_THRESHOLD, Integer.MAX_VALUE)
                    && set(mallopt, TOP_PAD, TWO_HEAPS);
        } catch (LinkageError e) {
            return false; // another C library, or no place to unpack JNA's own
        }
    }

    /**
     * What says the same to a program that is started, of whatever language.
     *
     * @return variables of its environment, by their names
     */
    public static Map<String, String> environment() {
        return Map.of(
                "MALLOC_MMAP_THRESHOLD_", Integer.toString(LARGEST),
                "MALLOC_TRIM_THRESHOLD_", Integer.toString(Integer.MAX_VALUE),
                "MALLOC_TOP_PAD_", Integer.toString(TWO_HEAPS));
    }

    private static boolean set(Function mallopt, int parameter, int value) {
        return mallopt.invokeInt(new Object[] {parameter, value}) == 1;
    }
}
