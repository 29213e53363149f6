package org.slotwise.slate;

import org.slotwise.internal.Check;

/**
 * The sizes of a {@link Slate}.
 *
 * <pre>{@code
 * new SlateConfiguration(64, 3, 1024, 192, new Transformer(4, 4, 0.1), new Slots(3, 192, 3, 1, 192, false))
 * }</pre>
 *
 * <p>A token stands for {@link #PATCH} x {@link #PATCH} pixels: a picture has L = (size / 4)² of
 * them, row by row.
 *
 * @param imageSize height and width of a picture, a multiple of 4
 * @param channels C, of a picture, at least 1
 * @param vocabulary V, how many tokens there are, at least 2
 * @param dim D, the size of a token's embedding and of the transformer, a multiple of its heads
 * @param transformer the transformer
 * @param slots the slots
 */
public record SlateConfiguration(
        int imageSize,
        int channels,
        int vocabulary,
        int dim,
        Transformer transformer,
        Slots slots) {

    /** Height and width of what a token stands for. */
    public static final int PATCH = 4;

    private static final String WHO = "SlateConfiguration";

    /**
     * Creates a configuration.
     *
     * @param imageSize height and width of a picture, a multiple of 4
     * @param channels C, of a picture, at least 1
     * @param vocabulary V, how many tokens there are, at least 2
     * @param dim D, a multiple of the transformer's heads
     * @param transformer the transformer
     * @param slots the slots
     * @throws IllegalArgumentException if a number is out of its range
     */
    public SlateConfiguration {
        Check.option(
                imageSize > 0 && imageSize % PATCH == 0,
                WHO + ": imageSize must be a multiple of " + PATCH + ", got " + imageSize);
        Check.atLeast(WHO, "channels", channels, 1);
        Check.atLeast(WHO, "vocabulary", vocabulary, 2);
        Check.atLeast(WHO, "dim", dim, 1);
        transformer.checkDim(WHO, dim);
    }

    /**
     * What the original's program takes if it is told nothing: for 3D Shapes, pictures of 64 x 64.
     *
     * @return a configuration of 3,616,451 parameters
     */
    public static SlateConfiguration shapes3d() {
        return new SlateConfiguration(
                64, 3, 1024, 192, new Transformer(4, 4, 0.1), new Slots(3, 192, 3, 1, 192, false));
    }

    /**
     * What the Object-Centric Learning Framework takes for CLEVR: pictures of 128 x 128.
     *
     * @return a configuration of 7,707,587 parameters
     */
    public static SlateConfiguration clevr() {
        return new SlateConfiguration(
                128,
                3,
                4096,
                192,
                new Transformer(8, 8, 0.1),
                new Slots(11, 192, 7, 1, 192, false));
    }

    /**
     * How many tokens lie side by side.
     *
     * @return h, a quarter of the picture's size
     */
    public int side() {
        return imageSize / PATCH;
    }

    /**
     * How many tokens a picture has.
     *
     * @return L
     */
    public int tokens() {
        return side() * side();
    }

    /**
     * The sizes of the transformer.
     *
     * @param blocks N, at least 0
     * @param heads H, at least 1
     * @param dropout how much is dropped in training, at least 0 and below 1; 0.1 in the original
     */
    public record Transformer(int blocks, int heads, double dropout) {

        /**
         * Creates the sizes.
         *
         * @param blocks N, at least 0
         * @param heads H, at least 1
         * @param dropout at least 0 and below 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Transformer {
            String who = WHO + ".Transformer";
            Check.atLeast(who, "blocks", blocks, 0);
            Check.atLeast(who, "heads", heads, 1);
            Check.option(
                    dropout >= 0 && dropout < 1,
                    who + ": dropout must be at least 0 and below 1, got " + dropout);
        }

        void checkDim(String who, int dim) {
            Check.option(
                    dim > 0 && dim % heads == 0,
                    who + ": dim must be a multiple of " + heads + " heads, got " + dim);
        }
    }

    /**
     * The sizes of slot attention.
     *
     * @param count K, at least 1; only what is made where nothing else is said
     * @param dim E, the size of a slot, a multiple of the heads
     * @param iterations T, at least 1
     * @param heads R, at least 1
     * @param hidden the size of the hidden layer of the perceptron on slots, at least 1
     * @param implicitDifferentiation whether T iterations record no graph and one more does, as in
     *     Chang et al., "Object Representations as Fixed Points" (2022); false in the original. It
     *     often trains better; the slots' mean and deviation learn nothing then
     */
    public record Slots(
            int count,
            int dim,
            int iterations,
            int heads,
            int hidden,
            boolean implicitDifferentiation) {

        /**
         * Creates the sizes.
         *
         * @param count K, at least 1
         * @param dim E, a multiple of the heads
         * @param iterations T, at least 1
         * @param heads R, at least 1
         * @param hidden at least 1
         * @param implicitDifferentiation whether gradients flow through one iteration only
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Slots {
            String who = WHO + ".Slots";
            Check.atLeast(who, "count", count, 1);
            Check.atLeast(who, "iterations", iterations, 1);
            Check.atLeast(who, "heads", heads, 1);
            Check.atLeast(who, "hidden", hidden, 1);
            Check.option(
                    dim > 0 && dim % heads == 0,
                    who + ": dim must be a multiple of " + heads + " heads, got " + dim);
        }
    }
}
