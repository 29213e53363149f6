package org.slotwise.metric;

/** What group 0 of the true segmentation, the background, is to a score. */
public enum Background {

    /** A group like the others. Also right where the truth has no background. */
    COUNTED,

    /** Not an object: the score is about the other groups only. */
    LEFT_OUT
}
