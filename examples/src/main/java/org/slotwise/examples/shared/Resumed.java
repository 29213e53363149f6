package org.slotwise.examples.shared;

/** How a training stands that is taken up again. */
public final class Resumed {

    private Resumed() {}

    /**
     * Where a training goes on.
     *
     * @param done the last step that was taken
     * @param steps how many there are
     * @return a line
     */
    public static String after(long done, long steps) {
        return done < steps
                ? "going on after step " + done
                : "all " + steps + " steps were taken before: nothing is left to learn";
    }
}
