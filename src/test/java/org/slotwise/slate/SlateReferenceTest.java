package org.slotwise.slate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.Initializer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.layer.GumbelSoftmax;
import org.slotwise.layer.LayerBlock;
import org.slotwise.slate.SlateConfiguration.Slots;
import org.slotwise.slate.SlateConfiguration.Transformer;
import org.slotwise.testing.AgainstReference;
import org.slotwise.testing.EquationBlock;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** Values and gradients beside the original's: {@code resources/slate}. */
@ExtendWith(OnDevice.class)
class SlateReferenceTest {

    @Test
    void encoderOfTheAutoEncoder(NDManager manager) {
        ReferenceCase reference = SlateCases.only("DvaeEncoder");
        LayerBlock block = new LayerBlock(p -> DvaeLayers.encoder(p, 3, 16), shape -> shape);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> Map.of("logits", one(block, store, in.get("image"))));
    }

    @Test
    void decoderOfTheAutoEncoder(NDManager manager) {
        ReferenceCase reference = SlateCases.only("DvaeDecoder");
        LayerBlock block = new LayerBlock(p -> DvaeLayers.decoder(p, 3, 16), shape -> shape);
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> Map.of("image", one(block, store, in.get("codes"))));
    }

    private static NDArray one(Block block, ParameterStore store, NDArray... inputs) {
        return block.forward(store, new NDList(inputs), true).head();
    }

    static Stream<ReferenceCase> gumbelSoftmaxes() {
        return SlateCases.of("GumbelSoftmax");
    }

    @ParameterizedTest
    @MethodSource("gumbelSoftmaxes")
    void gumbelSoftmax(ReferenceCase reference, NDManager manager) {
        GumbelSoftmax sampling =
                new GumbelSoftmax(reference.number("tau", 1), reference.flag("hard"));
        EquationBlock block =
                new EquationBlock(
                        p ->
                                (pass, in) -> {
                                    NDArray y = sampling.sample(in.get(0), in.get(1), 1);
                                    return new NDList(y, y.argMax(1));
                                });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList out =
                            block.forward(
                                    store, new NDList(in.get("logits"), in.get("gumbel")), true);
                    return Map.of("codes", out.get(0), "tokens", out.get(1));
                });
    }

    static Stream<ReferenceCase> decoderBlocks() {
        return SlateCases.of("TransformerDecoderBlock");
    }

    @ParameterizedTest
    @MethodSource("decoderBlocks")
    void decoderBlock(ReferenceCase reference, NDManager manager) {
        int dim = reference.integer("d_model");
        int heads = reference.integer("num_heads");
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            TokenDecoderBlock made =
                                    TokenDecoderBlock.of(
                                            p, dim, heads, 1, reference.flag("is_first"));
                            return (pass, in) ->
                                    new NDList(
                                            made.apply(
                                                    pass, in.get(0), in.get(1), DropoutMasks.NONE));
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of("output", one(block, store, in.get("input"), in.get("memory"))));
    }

    static Stream<ReferenceCase> decoders() {
        return SlateCases.of("TransformerDecoder");
    }

    @ParameterizedTest
    @MethodSource("decoders")
    void decoder(ReferenceCase reference, NDManager manager) {
        TokenDecoder block =
                new TokenDecoder(
                        reference.integer("d_model"),
                        new Transformer(
                                reference.integer("num_blocks"),
                                reference.integer("num_heads"),
                                reference.number("dropout", 0)));
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) ->
                        Map.of(
                                "output",
                                block.decode(
                                        store,
                                        in.get("input"),
                                        in.get("memory"),
                                        ReferenceCase.under("dropout/", in),
                                        true)));
    }

    static Stream<ReferenceCase> slotAttentions() {
        return SlateCases.of("SlateSlotAttention");
    }

    private static Slots slots(ReferenceCase reference, String heads, boolean implicit) {
        return new Slots(
                reference.integer("num_slots"),
                reference.integer("slot_size"),
                reference.integer("num_iterations"),
                heads.isEmpty() ? 1 : reference.integer(heads),
                reference.integer("mlp_hidden_size"),
                implicit);
    }

    @ParameterizedTest
    @MethodSource("slotAttentions")
    void slotAttention(ReferenceCase reference, NDManager manager) {
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            TokenSlotAttention made =
                                    TokenSlotAttention.of(
                                            p,
                                            reference.integer("input_size"),
                                            slots(reference, "heads", false));
                            return (pass, in) -> made.iterate(pass, in.get(0), in.get(1));
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    NDList out =
                            block.forward(
                                    store, new NDList(in.get("inputs"), in.get("slots")), true);
                    return Map.of("slots", out.get(0), "attn", out.get(1).swapAxes(1, 2));
                });
    }

    static Stream<ReferenceCase> slotEncoders() {
        return SlateCases.of("SlateSlotAttentionEncoder");
    }

    @ParameterizedTest
    @MethodSource("slotEncoders")
    void slotEncoder(ReferenceCase reference, NDManager manager) {
        checkGrouping(
                manager,
                reference,
                new TokenGrouping(
                        reference.integer("input_channels"), slots(reference, "num_heads", false)));
    }

    /** T iterations, a stop of gradients, and one more; its names are flat. */
    @Test
    void slotEncoderOfTheSecondImplementation(NDManager manager) {
        ReferenceCase reference = SlateCases.only("OdpSlotAttention");
        checkGrouping(
                manager,
                reference.renamed(
                        name ->
                                name.replaceFirst(
                                                "^(.*param/)(mlp|norm_|project_|gru)",
                                                "$1slot_attention.$2")
                                        .replace("param/input_", "param/")),
                new TokenGrouping(reference.integer("in_features"), slots(reference, "", true)));
    }

    private static void checkGrouping(
            NDManager manager, ReferenceCase reference, TokenGrouping block) {
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    PerceptualGroupingOutput out =
                            block.group(store, in.get("inputs"), in.get("slot_noise"), true);
                    return Map.of(
                            "slots", out.objects(), "attn", out.attributions().swapAxes(1, 2));
                });
    }

    @Test
    void dictionary(NDManager manager) {
        ReferenceCase reference = SlateCases.only("OneHotDictionary");
        Map<String, NDArray> arrays = reference.arrays(manager);
        EquationBlock block =
                new EquationBlock(
                        p -> {
                            Parameter table =
                                    p.under("dictionary")
                                            .weight(
                                                    "weight",
                                                    Initializer.ZEROS,
                                                    reference.integer("vocab_size"),
                                                    reference.integer("emb_size"));
                            TokenEmbedding made = new TokenEmbedding(table, null);
                            NDArray tokens = arrays.get("in/tokens");
                            return (pass, in) -> new NDList(made.rows(pass, tokens));
                        });
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> Map.of("embeddings", one(block, store, in.get("one_hot"))));
    }

    static Stream<ReferenceCase> models() {
        return SlateCases.of("Slate");
    }

    @ParameterizedTest
    @MethodSource("models")
    void wholeModel(ReferenceCase reference, NDManager manager) {
        Slate block = new Slate(SlateCases.sizes(reference));
        GumbelSoftmax sampling =
                new GumbelSoftmax(reference.number("tau", 1), reference.flag("hard"));
        Map<String, NDArray> seen = new LinkedHashMap<>();
        AgainstReference.check(
                manager,
                reference,
                block,
                (store, in) -> {
                    SlateOutput out =
                            block.step(
                                    store,
                                    in.get("image"),
                                    sampling,
                                    SlateCases.noise(in, ""),
                                    true);
                    seen.put("slots", out.slots());
                    seen.put("tokens", out.tokens());
                    return Map.of(
                            "recon", out.reconstruction(),
                            "cross_entropy", out.crossEntropy(),
                            "mse", out.mse(),
                            "attns", out.attended(in.get("image")));
                });
        Map<String, NDArray> arrays = reference.arrays(manager);
        double tolerance = arrays.get("mid/slots").getDataType() == DataType.FLOAT64 ? 1e-10 : 1e-5;
        assertClose("slots", arrays.get("mid/slots"), seen.get("slots"), tolerance);
        Tensors.assertSame("tokens", arrays.get("mid/tokens"), seen.get("tokens"));
    }

    @Test
    void generation(NDManager manager) {
        ReferenceCase reference = SlateCases.only("SlateGeneration");
        Map<String, NDArray> arrays = reference.arrays(manager);
        Slate block = new Slate(SlateCases.sizes(reference));
        AgainstReference.load(manager, block, DataType.FLOAT32, arrays);
        ParameterStore store = new ParameterStore(manager, false);
        NDArray image = arrays.get("in/image");
        NDArray noise = arrays.get("in/slot_noise");

        EncodedPictures encoded = block.encode(store, image, noise);
        Tensors.assertSame("own tokens", arrays.get("mid/image_tokens"), encoded.tokens());
        assertClose("slots", arrays.get("mid/slots"), encoded.slots(), 1e-5);
        assertClose(
                "attns",
                arrays.get("out/attns"),
                SlateOutput.attended(image, encoded.attention()),
                1e-5);
        GeneratedPictures made = block.generate(store, encoded.slots());
        assertArrayEquals(
                arrays.get("out/tokens").toLongArray(), made.tokens().toLongArray(), "tokens");
        assertClose("image", arrays.get("out/image"), made.pictures(), 1e-5);
        assertClose(
                "logits",
                arrays.get("mid/logits"),
                block.predict(store, encoded.slots(), made.tokens()),
                1e-5);
        GeneratedPictures again = block.reconstruct(store, image, noise);
        assertArrayEquals(made.tokens().toLongArray(), again.tokens().toLongArray());
        assertEquals(new Shape(2, 3, 16, 16), again.pictures().getShape());
    }
}
