package org.slotwise.internal;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;

/**
 * Tells of pictures that are enlarged so far that little is to be seen in them: of the first one
 * that somebody sees, and of no other.
 */
public final class SmallPictureWarning {

    /** How many times each side may be enlarged before that is told of. */
    private static final int MOST_TIMES = 4;

    private final Logger log;
    private final String who;
    private final AtomicBoolean told = new AtomicBoolean();

    /**
     * Of somebody who has told of none yet.
     *
     * @param log where it is told, as a warning
     * @param who who enlarges them
     */
    public SmallPictureWarning(Logger log, String who) {
        this.log = log;
        this.who = who;
    }

    /**
     * Looks at the size of a picture that is brought to another.
     *
     * @param height of the picture
     * @param width of the picture
     * @param toHeight what its height becomes
     * @param toWidth what its width becomes
     * @param named puts the picture's name before what is said of it
     */
    public void see(int height, int width, int toHeight, int toWidth, UnaryOperator<String> named) {
        boolean small =
                (long) MOST_TIMES * height < toHeight || (long) MOST_TIMES * width < toWidth;
        if (small && !told.getAndSet(true)) {
            log.warn(
                    "{}: {}",
                    who,
                    named.apply(
                            "a picture of "
                                    + (height + " x " + width)
                                    + " pixels (height x width) is enlarged to "
                                    + (toHeight + " x " + toWidth)
                                    + ", and shows little; of others this is not told again"));
        }
    }
}
