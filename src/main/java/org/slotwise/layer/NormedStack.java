package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.Scriptable;

/**
 * Convolutions, sub-pixel convolutions or linear maps, each followed by a CELU and then by a
 * normalisation: PyTorch's {@code nn.Sequential} of {@code Conv2d}, {@code PixelShuffle}, {@code
 * CELU} and {@code GroupNorm}, or of {@code Linear}, {@code CELU} and {@code LayerNorm}, in which
 * every module counts, also those without parameters.
 *
 * <pre>{@code
 * x = norm(celu(shuffle(map(x))))        shuffle where a layer is a sub-pixel one
 * y = shuffle(map(x))                    the last layer, where the end is open
 * }</pre>
 *
 * <p>x is (B, in, H, W), or (..., in) for linear maps; y likewise. The CELU has alpha 1, where it
 * is the ELU. Activation comes before normalisation, as in the models of Jiang and Ahn, "Generative
 * Neurosymbolic Machines" (2020). Weights start as PyTorch's do. Of each layer only its result
 * lives on.
 *
 * <pre>{@code
 * NormedStack.of(parameters.under("conv"), 3)
 *         .convolution(16, new Window(4, 2, 1), 1)
 *         .convolution(32, Window.same(3), 1)
 *         .build()
 * }</pre>
 */
public final class NormedStack implements Layer, Scriptable {

    private static final String WHO = "NormedStack";

    private final List<Stage> stages;

    private NormedStack(List<Stage> stages) {
        this.stages = stages;
    }

    /** What comes after a map: a shuffle, an activation that overwrites it, and a norm. */
    private interface Normed {
        NDArray apply(Pass pass, NDArray y);

        /** The norm alone. */
        Scriptable norm();
    }

    /** Of channels, which may become places. */
    private record NormedMaps(GroupNorm norm, @Nullable PixelShuffle shuffle) implements Normed {
        @Override
        public NDArray apply(Pass pass, NDArray y) {
            return norm.ofActivated(pass, y, shuffle);
        }
    }

    /** Of the last axis. */
    private record NormedRows(LayerNorm norm) implements Normed {
        @Override
        public NDArray apply(Pass pass, NDArray y) {
            return norm.ofActivated(pass, y);
        }
    }

    /** A layer of the stack; the last one of an open end has no norm. */
    record Stage(int number, Layer map, @Nullable PixelShuffle shuffle, @Nullable Normed normed) {

        NDArray apply(Pass pass, NDArray x) {
            NDArray y = map.apply(pass, x);
            if (normed != null) {
                return normed.apply(pass, y);
            }
            return shuffle == null ? y : shuffle.shuffle(y);
        }

        /** The norm's number: activations and shuffles count too. */
        int normNumber() {
            return number + (shuffle == null ? 2 : 3);
        }

        /** The norm alone, if there is one. */
        @Nullable Scriptable norm() {
            return normed == null ? null : normed.norm();
        }
    }

    /**
     * Starts a stack.
     *
     * @param parameters declares under the stack's name
     * @param channels what goes in: channels, or the last axis
     * @return a builder
     */
    public static Builder of(Declarer parameters, long channels) {
        return new Builder(parameters, channels);
    }

    /** {@inheritDoc} */
    @Override
    public NDArray apply(Pass pass, NDArray x) {
        NDArray result = x;
        for (Stage stage : stages) {
            NDArray before = result;
            try (Scope scope = new Scope()) {
                result = scope.keep(stage.apply(pass, before));
            }
            if (before != x) {
                before.close();
            }
        }
        return result;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Beside {@code forward}, which takes and gives what {@link #apply} does, a stack of
     * convolutions has {@code places}, which takes and gives maps (B, H, W, channels), and one of
     * sub-pixel convolutions {@code place}, which takes maps of one place as rows (B, in).
     */
    @Override
    public ScriptModule script() {
        return NormedStackScript.of(stages);
    }

    /** Describes a {@link NormedStack}: its layers in their order, and how they end. */
    public static final class Builder {
        private final Declarer parameters;
        private final List<Planned> planned = new ArrayList<>();
        private long channels;
        private boolean openEnd;

        private Builder(Declarer parameters, long channels) {
            Check.atLeast(WHO, "channels", channels, 1);
            this.parameters = parameters;
            this.channels = channels;
        }

        /**
         * A layer before it is declared: its map by its number, what it makes of 1, and its norm.
         */
        private record Planned(
                IntFunction<Layer> map, @Nullable PixelShuffle shuffle, IntFunction<Normed> norm) {}

        /**
         * Adds a convolution.
         *
         * @param out the channels that come out, at least 1
         * @param window what it looks at
         * @param groups of the normalisation; not read at an open end
         * @return this
         */
        public Builder convolution(int out, Window window, int groups) {
            return add(convolution(window, out), null, out, groups);
        }

        /**
         * Adds a convolution of stride 1 whose channels become places.
         *
         * @param out the channels that come out, at least 1
         * @param kernel of the convolution, with (kernel - 1) / 2 zeros at each side
         * @param factor how many times larger the map becomes; 1 is no shuffle, and no module
         * @param groups of the normalisation; not read at an open end
         * @return this
         */
        public Builder subPixel(int out, int kernel, int factor, int groups) {
            PixelShuffle shuffle = new PixelShuffle(factor);
            Window window = new Window(kernel, 1, (kernel - 1) / 2);
            IntFunction<Layer> map = convolution(window, (long) out * factor * factor);
            return add(map, factor == 1 ? null : shuffle, out, groups);
        }

        private IntFunction<Layer> convolution(Window window, long out) {
            long in = channels;
            return number -> Convolution.of(numbered(number), in, out, window);
        }

        /**
         * Adds a linear map, whose normalisation is that of layers.
         *
         * @param out the size of an output, at least 1
         * @return this
         */
        public Builder linear(int out) {
            long in = channels;
            planned.add(
                    new Planned(
                            number -> Linear.of(numbered(number), in, out),
                            null,
                            number -> new NormedRows(LayerNorm.of(numbered(number), out))));
            channels = out;
            return this;
        }

        private Builder add(
                IntFunction<Layer> map, @Nullable PixelShuffle shuffle, int out, int groups) {
            planned.add(
                    new Planned(
                            map,
                            shuffle,
                            number ->
                                    new NormedMaps(
                                            GroupNorm.of(numbered(number), groups, out), shuffle)));
            channels = out;
            return this;
        }

        private Declarer numbered(int number) {
            return parameters.under(Integer.toString(number));
        }

        /**
         * Sets whether the last layer is its map alone: neither activation nor normalisation.
         *
         * @param openEnd false if not set
         * @return this
         */
        public Builder optOpenEnd(boolean openEnd) {
            this.openEnd = openEnd;
            return this;
        }

        /**
         * Builds the layer, and declares its parameters.
         *
         * @return the layer
         * @throws IllegalArgumentException if there is no layer, or a size is out of range
         */
        public NormedStack build() {
            Check.option(!planned.isEmpty(), WHO + ": there must be a layer");
            List<Stage> stages = new ArrayList<>();
            int number = 0;
            for (Planned layer : planned) {
                Layer map = layer.map().apply(number);
                Stage open = new Stage(number, map, layer.shuffle(), null);
                int norm = open.normNumber();
                boolean last = stages.size() == planned.size() - 1;
                stages.add(
                        last && openEnd
                                ? open
                                : new Stage(
                                        number, map, layer.shuffle(), layer.norm().apply(norm)));
                number = norm + 1;
            }
            return new NormedStack(List.copyOf(stages));
        }
    }
}
