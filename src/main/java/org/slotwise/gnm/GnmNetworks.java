package org.slotwise.gnm;

import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The sizes of the networks of a {@link Gnm}.
 *
 * <p>What follows from other sizes is not said twice: perceptrons are given by their hidden layers,
 * what comes out has the size of what it is for. What has to agree is checked by {@link
 * GnmConfiguration}.
 *
 * @param encoder convolutions from the picture to the G x G map e, (C, H, W) to (E, G, G)
 * @param cells convolutions of stride 1 before the heads of the cells' latents
 * @param glimpse sub-pixel convolutions from what a cell has, (Za, 1, 1), to its picture, (C + 1,
 *     h, h); (C, h, h) where cells have no alpha
 * @param background sub-pixel convolutions from the background's latent, (Zb, 1, 1), to (C, H, W)
 * @param scene the scene latent
 * @param backgroundPosterior hidden layers of the perceptron from e to the background's latent
 * @param backgroundPrior hidden layers of the perceptron from the scene latent to the background's
 */
public record GnmNetworks(
        Stack encoder,
        Stack cells,
        Stack glimpse,
        Stack background,
        Scene scene,
        List<Integer> backgroundPosterior,
        List<Integer> backgroundPrior) {

    /**
     * Creates the sizes.
     *
     * @param encoder from the picture to the map
     * @param cells before the heads
     * @param glimpse from what to a picture
     * @param background from its latent to a picture
     * @param scene the scene latent
     * @param backgroundPosterior hidden layers, each at least 1
     * @param backgroundPrior hidden layers, each at least 1
     * @throws IllegalArgumentException if a number is out of its range
     */
    public GnmNetworks {
        backgroundPosterior = sizes("backgroundPosterior", backgroundPosterior);
        backgroundPrior = sizes("backgroundPrior", backgroundPrior);
    }

    private static List<Integer> sizes(String what, List<Integer> sizes) {
        for (int size : sizes) {
            Limits.count("GnmNetworks", what, size, 1, Limits.NUMBERS);
        }
        return List.copyOf(sizes);
    }

    /**
     * A stack of normed convolutions, all lists of one length.
     *
     * @param filters channels that come out of each layer
     * @param kernels height and width of each kernel
     * @param steps strides of convolutions, of which 0 is stride 1 without zeros around the map; of
     *     sub-pixel convolutions how many times larger the map becomes
     * @param groups of each normalisation, which divide the filters; the last one's is not read
     *     where the stack has an open end
     */
    public record Stack(
            List<Integer> filters,
            List<Integer> kernels,
            List<Integer> steps,
            List<Integer> groups) {

        /**
         * Creates the sizes.
         *
         * @param filters at least 1 each
         * @param kernels at least 1 each
         * @param steps at least 0 each
         * @param groups at least 1 each
         * @throws IllegalArgumentException if the lists are empty, or not of one length, or a
         *     number is out of its range
         */
        public Stack {
            String who = "GnmNetworks.Stack";
            int n = filters.size();
            Limits.count(who, "layers", n, 1, Limits.LAYERS);
            Check.option(
                    kernels.size() == n && steps.size() == n && groups.size() == n,
                    who
                            + ": filters, kernels, steps and groups must be as many, got "
                            + (n + ", " + kernels.size() + ", " + steps.size())
                            + (" and " + groups.size()));
            for (int i = 0; i < n; i++) {
                Limits.count(who, "filters", filters.get(i), 1, Limits.NUMBERS);
                Limits.count(who, "kernels", kernels.get(i), 1, Limits.WINDOW);
                Limits.count(who, "steps", steps.get(i), 0, Limits.WINDOW);
                Limits.count(who, "groups", groups.get(i), 1, Limits.NUMBERS);
            }
            filters = List.copyOf(filters);
            kernels = List.copyOf(kernels);
            steps = List.copyOf(steps);
            groups = List.copyOf(groups);
        }

        /**
         * A stack whose normalisations have one group each.
         *
         * @param filters at least 1 each
         * @param kernels at least 1 each
         * @param steps at least 0 each
         * @return the sizes
         */
        public static Stack of(List<Integer> filters, List<Integer> kernels, List<Integer> steps) {
            return new Stack(filters, kernels, steps, filters.stream().map(f -> 1).toList());
        }

        int layers() {
            return filters.size();
        }

        int last() {
            return filters.get(layers() - 1);
        }
    }

    /**
     * The sizes of the scene latent.
     *
     * @param kernel of both recurrent cells, odd
     * @param encoderSize channels of the state that sees the picture
     * @param decoderSize channels of the state that draws
     * @param posterior hidden layers of the perceptron to the posterior of a step
     * @param prior hidden layers of the perceptron to its prior
     * @param decoder hidden layers of the perceptron from a step's latent to the map that the
     *     drawing state sees
     * @param decoderChannels channels of that map
     * @param map convolutions from the drawing state to what is added to the scene map, with an
     *     open end
     */
    public record Scene(
            int kernel,
            int encoderSize,
            int decoderSize,
            List<Integer> posterior,
            List<Integer> prior,
            List<Integer> decoder,
            int decoderChannels,
            Stack map) {

        /**
         * Creates the sizes.
         *
         * @param kernel odd
         * @param encoderSize at least 1
         * @param decoderSize at least 1
         * @param posterior hidden layers, each at least 1
         * @param prior hidden layers, each at least 1
         * @param decoder hidden layers, each at least 1
         * @param decoderChannels at least 1
         * @param map convolutions of stride 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Scene {
            String who = "GnmNetworks.Scene";
            Limits.count(who, "kernel", kernel, 1, Limits.WINDOW);
            Check.option(kernel % 2 == 1, who + ": kernel must be odd, got " + kernel);
            Limits.count(who, "encoderSize", encoderSize, 1, Limits.NUMBERS);
            Limits.count(who, "decoderSize", decoderSize, 1, Limits.NUMBERS);
            Limits.count(who, "decoderChannels", decoderChannels, 1, Limits.NUMBERS);
            posterior = sizes("posterior", posterior);
            prior = sizes("prior", prior);
            decoder = sizes("decoder", decoder);
        }
    }
}
