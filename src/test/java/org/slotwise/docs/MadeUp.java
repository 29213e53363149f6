package org.slotwise.docs;

/** What {@link DocumentedTest} is tested with. */
public final class MadeUp {

    private MadeUp() {}

    /** A nested type. */
    public enum Kind {
        /** Its only value. */
        ONLY
    }

    /** A builder. */
    public static final class Builder {

        private Builder() {}

        /**
         * An option.
         *
         * @return this
         */
        public Builder optEps() {
            return this;
        }

        Builder optHidden() {
            return this;
        }
    }

    /** A type of tests and of the package. */
    static final class Inner {
        private Inner() {}
    }
}
