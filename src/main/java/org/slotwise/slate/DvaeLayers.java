package org.slotwise.slate;

import ai.djl.ndarray.NDArray;
import ai.djl.training.initializer.Initializer;
import java.util.ArrayList;
import java.util.List;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scope;
import org.slotwise.layer.Convolution;
import org.slotwise.layer.Layer;
import org.slotwise.layer.PixelShuffle;
import org.slotwise.layer.StartingValues;
import org.slotwise.layer.Window;

/** The layers of the discrete auto-encoder, numbered as in the original. */
record DvaeLayers(List<Layer> layers) implements Layer {

    private static final int CHANNELS = 64;
    private static final Window PATCHES =
            Window.valid(SlateConfiguration.PATCH).withStride(SlateConfiguration.PATCH);
    private static final Window PLACE = Window.valid(1);
    private static final Window AROUND = Window.same(3);
    private static final PixelShuffle SHUFFLE = new PixelShuffle(2);

    /** (B, C, H, W) to logits (B, V, H / 4, W / 4): a token sees its own pixels alone. */
    static DvaeLayers encoder(Declarer parameters, int channels, int vocabulary) {
        List<Layer> layers = new ArrayList<>();
        layers.add(NormedConvolution.of(parameters.under("0"), channels, CHANNELS, PATCHES));
        for (int i = 1; i <= 6; i++) {
            layers.add(normed(parameters, i, CHANNELS, CHANNELS, PLACE));
        }
        layers.add(last(parameters.under("7"), vocabulary));
        return new DvaeLayers(layers);
    }

    /** Codes (B, V, h, w) to images (B, C, 4 h, 4 w). */
    static DvaeLayers decoder(Declarer parameters, int channels, int vocabulary) {
        List<Layer> layers = new ArrayList<>();
        layers.add(normed(parameters, 0, vocabulary, CHANNELS, PLACE));
        for (int first : new int[] {1, 6}) {
            layers.add(normed(parameters, first, CHANNELS, CHANNELS, AROUND));
            layers.add(normed(parameters, first + 1, CHANNELS, CHANNELS, PLACE));
            layers.add(normed(parameters, first + 2, CHANNELS, CHANNELS, PLACE));
            layers.add(normed(parameters, first + 3, CHANNELS, 4 * CHANNELS, PLACE));
            if (first == 1) {
                layers.add(SHUFFLE);
            }
        }
        layers.add(new ShuffledPlaces(SHUFFLE, last(parameters.under("11"), channels)));
        return new DvaeLayers(layers);
    }

    private static Layer normed(Declarer parameters, int number, int in, int out, Window window) {
        return NormedConvolution.of(parameters.under(Integer.toString(number)), in, out, window);
    }

    private static Layer last(Declarer parameters, int out) {
        return Convolution.of(
                parameters,
                CHANNELS,
                out,
                PLACE,
                StartingValues.xavier(CHANNELS, out),
                Initializer.ZEROS);
    }

    @Override
    public NDArray apply(Pass pass, NDArray x) {
        NDArray result = x;
        for (Layer layer : layers) {
            NDArray before = result;
            try (Scope scope = new Scope()) {
                result = scope.keep(layer.apply(pass, before));
            }
            if (before != x) {
                before.close();
            }
        }
        return result;
    }
}
