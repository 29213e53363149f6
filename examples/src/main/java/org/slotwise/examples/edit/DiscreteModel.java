package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.examples.discover.DiscoveryModel;
import org.slotwise.examples.discover.DiscoveryTask;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.quantization.QuantizedSlots;
import org.slotwise.quantization.SlotQuantizer;
import org.slotwise.weights.StateDict;

/**
 * Describes what each object of a picture is by a few codes, and makes the picture again from codes
 * and places.
 *
 * <pre>{@code
 * slots, P = DiscoveryModel(image)                 learnt before, and left as it is
 * codes, reconstruction = SlotCodec(slots, P)
 * }</pre>
 *
 * @param discovery what finds objects, and describes them by slots that are not discrete
 * @param codec what makes codes of slots, and pictures of codes
 * @param iterations how many iterations of attention its slots have
 */
record DiscreteModel(DiscoveryModel discovery, SlotCodec codec, int iterations) {

    /** Which scenes it is of. */
    static final DiscoveryTask TASK = DiscoveryTask.TETROMINOES;

    /** The file of a model, as these examples bring one and as training names it. */
    static final String FILE = "tetrominoes-discrete.safetensors";

    private static final String LATENTS = "latents";
    private static final String CODES = "codes";
    private static final String ITERATIONS = "iterations";

    /** Of a file that does not say. */
    private static final String FORMER_ITERATIONS = "7";

    /**
     * A model that knows how to find objects, but not yet what they are. The codes are drawn with
     * the engine's generator; the decoder starts as the one of the model that finds objects.
     *
     * @param manager the owner of its weights
     * @param latents how many latents a slot has, a divisor of 64
     * @param codes how many codes a latent has
     * @return a model to be trained
     * @throws IOException if the model that comes with these examples cannot be read
     */
    static DiscreteModel fresh(NDManager manager, int latents, int codes) throws IOException {
        DiscoveryModel discovery = DiscoveryModel.load(manager, null, TASK, null);
        SlotCodec codec = codec(manager, latents, codes);
        try (StateDict weights = StateDict.of(discovery.decoder())) {
            weights.loadInto(codec.decoder());
        }
        return new DiscreteModel(discovery, codec, TASK.recipe().testIterations());
    }

    private static SlotCodec codec(NDManager manager, int latents, int codes) {
        SlotCodec codec = new SlotCodec(TASK, latents, codes);
        codec.initialize(manager, DataType.FLOAT32, new Shape(1, 1, DiscoveryModel.SLOT_DIM));
        return codec;
    }

    /**
     * The model of a file.
     *
     * @param manager the owner of its weights
     * @param file a safetensors file; null for the one that comes with these examples
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read or is of another model
     */
    static DiscreteModel load(NDManager manager, @Nullable Path file) throws IOException {
        return ModelFile.read(
                Maker.EDIT,
                file,
                DiscreteModel.class,
                FILE,
                weights -> {
                    Map<String, String> said = weights.metadata();
                    SlotCodec codec =
                            codec(manager, number(said.get(LATENTS)), number(said.get(CODES)));
                    DiscreteModel model =
                            new DiscreteModel(
                                    DiscoveryModel.initialized(manager, TASK, said),
                                    codec,
                                    iterations(said));
                    weights.loadInto(model.parts());
                    return model;
                });
    }

    private static int number(@Nullable String text) {
        if (text == null) {
            throw new IllegalArgumentException("it does not say how many codes there are");
        }
        return Integer.parseInt(text);
    }

    private static int iterations(Map<String, String> said) {
        int iterations = number(said.getOrDefault(ITERATIONS, FORMER_ITERATIONS));
        if (iterations < 1) {
            throw new IllegalArgumentException("its slots have " + iterations + " iterations");
        }
        return iterations;
    }

    private Map<String, Block> parts() {
        Map<String, Block> parts = new LinkedHashMap<>();
        parts.put("discovery", discovery);
        parts.put("codec", codec);
        return parts;
    }

    /**
     * Writes the model to a file.
     *
     * @param file a path that ends in ".safetensors"
     * @throws IOException if it cannot be written
     */
    void write(Path file) throws IOException {
        Map<String, String> said = new TreeMap<>(discovery.told());
        said.put(LATENTS, Integer.toString(quantizer().latents()));
        said.put(CODES, Integer.toString(quantizer().codes()));
        said.put(ITERATIONS, Integer.toString(iterations));
        StateDict.ofParts(parts()).withMetadata(said).write(file);
    }

    /** What makes slots discrete. */
    SlotQuantizer quantizer() {
        return codec.quantizer();
    }

    /**
     * What the model makes of pictures.
     *
     * @param slots the slots before they are made discrete, and where they are
     * @param quantized codes, and the slots that are made of them
     * @param decoding the pictures made again from codes and places
     */
    record Description(PositionedSlots slots, QuantizedSlots quantized, SlotDecoding decoding) {}

    /**
     * Describes pictures by their most probable codes, and makes them again.
     *
     * @param store where the weights are
     * @param images (B, 3, 35, 35) in [0, 1]
     * @return slots, codes and decoding
     */
    Description describe(ParameterStore store, NDArray images) {
        PositionedSlots slots = slots(store, images);
        SlotCodec.Coded coded =
                codec.code(store, slots.objects(), slots.positions(), PixelLattice.ALL, false);
        return new Description(slots, coded.quantized(), coded.decoding());
    }

    /**
     * Describes pictures by slots that are not discrete.
     *
     * @param store where the weights are
     * @param images (B, 3, 35, 35) in [0, 1]
     * @return slots, and where they are
     */
    PositionedSlots slots(ParameterStore store, NDArray images) {
        return discovery.describe(store, images, discovery.settledDraw(images), iterations, false);
    }
}
