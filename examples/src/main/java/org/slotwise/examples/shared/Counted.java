package org.slotwise.examples.shared;

/** Things that are counted, in words. */
public final class Counted {

    private Counted() {}

    /**
     * How many there are.
     *
     * @param count how many
     * @param thing what one is called; several are called the same with an s
     * @return "1 slot", or "7 slots"
     */
    public static String of(long count, String thing) {
        return count + " " + thing + (count == 1 ? "" : "s");
    }
}
