package org.slotwise.examples.slate;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.weights.StateDict;

/** A {@link Slate} as a file that says which sizes it has. */
final class SlateModel {

    /** The name of the model's file, as these examples bring one. */
    static final String FILE = "tetrominoes-slate.safetensors";

    /** What a model of one's own pictures is called if nobody says otherwise. */
    static final String OWN_FILE = "my-slate.safetensors";

    private static final String PREFIX = "slate.";

    private SlateModel() {}

    /** A model whose weights are drawn with the engine's generator. */
    static Slate fresh(NDManager manager, SlateConfiguration sizes) {
        Slate slate = new Slate(sizes);
        int side = sizes.imageSize();
        slate.initialize(manager, DataType.FLOAT32, new Shape(1, sizes.channels(), side, side));
        return slate;
    }

    /**
     * Reads a model.
     *
     * @param manager the owner of its weights
     * @param file a safetensors file; null for the model that comes with the examples
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read, or is of another program
     */
    static Slate load(NDManager manager, @Nullable Path file) throws IOException {
        return ModelFile.read(
                Maker.SLATE,
                file,
                SlateModel.class,
                FILE,
                weights -> {
                    Slate slate = fresh(manager, sizes(weights.metadata()));
                    weights.loadInto(slate);
                    return slate;
                });
    }

    /** Writes a model to a path that ends in ".safetensors". */
    static void write(Slate slate, Path file) throws IOException {
        StateDict.of(slate).withMetadata(texts(slate.sizes())).write(file);
    }

    /** Sizes as texts. */
    static Map<String, String> texts(SlateConfiguration sizes) {
        Map<String, String> texts = new LinkedHashMap<>();
        SlateConfiguration.Transformer transformer = sizes.transformer();
        SlateConfiguration.Slots slots = sizes.slots();
        texts.put(PREFIX + "image_size", Integer.toString(sizes.imageSize()));
        texts.put(PREFIX + "channels", Integer.toString(sizes.channels()));
        texts.put(PREFIX + "vocabulary", Integer.toString(sizes.vocabulary()));
        texts.put(PREFIX + "dim", Integer.toString(sizes.dim()));
        texts.put(PREFIX + "blocks", Integer.toString(transformer.blocks()));
        texts.put(PREFIX + "heads", Integer.toString(transformer.heads()));
        texts.put(PREFIX + "dropout", Double.toString(transformer.dropout()));
        texts.put(PREFIX + "slots", Integer.toString(slots.count()));
        texts.put(PREFIX + "slot_dim", Integer.toString(slots.dim()));
        texts.put(PREFIX + "iterations", Integer.toString(slots.iterations()));
        texts.put(PREFIX + "slot_heads", Integer.toString(slots.heads()));
        texts.put(PREFIX + "slot_hidden", Integer.toString(slots.hidden()));
        texts.put(PREFIX + "implicit", Boolean.toString(slots.implicitDifferentiation()));
        return texts;
    }

    private static SlateConfiguration sizes(Map<String, String> texts) {
        return new SlateConfiguration(
                number(texts, "image_size"),
                number(texts, "channels"),
                number(texts, "vocabulary"),
                number(texts, "dim"),
                new SlateConfiguration.Transformer(
                        number(texts, "blocks"),
                        number(texts, "heads"),
                        Double.parseDouble(text(texts, "dropout"))),
                new SlateConfiguration.Slots(
                        number(texts, "slots"),
                        number(texts, "slot_dim"),
                        number(texts, "iterations"),
                        number(texts, "slot_heads"),
                        number(texts, "slot_hidden"),
                        Boolean.parseBoolean(text(texts, "implicit"))));
    }

    private static int number(Map<String, String> texts, String name) {
        return Integer.parseInt(text(texts, name));
    }

    private static String text(Map<String, String> texts, String name) {
        String text = texts.get(PREFIX + name);
        if (text == null) {
            throw new IllegalArgumentException("it does not say its " + name);
        }
        return text;
    }
}
