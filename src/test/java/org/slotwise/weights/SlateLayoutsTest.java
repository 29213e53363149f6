package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;
import static org.slotwise.testing.Errors.assertRefused;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.slate.Slate;
import org.slotwise.slate.SlateConfiguration;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.ReferenceCase;
import org.slotwise.testing.Tensors;

/** State dicts of other implementations of SLATE, and back. */
@ExtendWith(OnDevice.class)
class SlateLayoutsTest {

    private static Slate slate(NDManager manager, int seed) {
        manager.getEngine().setRandomSeed(seed);
        Slate slate =
                new Slate(
                        new SlateConfiguration(
                                8,
                                3,
                                5,
                                4,
                                new SlateConfiguration.Transformer(2, 2, 0),
                                new SlateConfiguration.Slots(2, 6, 1, 1, 3, false)));
        slate.initialize(manager, DataType.FLOAT32, new Shape(-1));
        return slate;
    }

    private static void assertEqual(Slate expected, Slate got) {
        Map<String, NDArray> theirs = ReferenceCase.parameters(got);
        ReferenceCase.parameters(expected)
                .forEach((name, array) -> Tensors.assertSame(name, array, theirs.get(name)));
    }

    /** The case's parameters are the original's; its masks are made here, by its rule. */
    @Test
    void theOriginalsNamesAreOurs(NDManager manager) {
        Slate slate = slate(manager, 1);
        StateDict dict = SlateLayouts.withMasks(StateDict.of(slate), manager);
        NDArray mask = dict.get("tf_dec.blocks.1.self_attn_mask");
        assertEquals(new Shape(4, 4), mask.getShape());
        assertArrayEquals(
                new boolean[] {
                    false, true, true, true,
                    false, false, true, true,
                    false, false, false, true,
                    false, false, false, false
                },
                mask.toBooleanArray());
        Slate other = slate(manager, 2);
        SlateLayouts.original().apply(dict).loadInto(other);
        assertEqual(slate, other);
    }

    @Test
    void goesThroughAFile(NDManager manager, @TempDir Path folder) throws IOException {
        Slate slate = slate(manager, 1);
        Path path = folder.resolve("slate.safetensors");
        SlateLayouts.withMasks(StateDict.of(slate), manager).write(path);
        Slate other = slate(manager, 2);
        try (StateDict read = StateDict.read(path)) {
            assertEquals(
                    DataType.BOOLEAN, read.get("tf_dec.blocks.0.self_attn_mask").getDataType());
            SlateLayouts.original().apply(read).loadInto(other);
        }
        assertEqual(slate, other);
    }

    @Test
    void readsTheOriginalsCheckpoint(NDManager manager) {
        Slate slate = slate(manager, 1);
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        SlateLayouts.withMasks(StateDict.of(slate), manager)
                .arrays()
                .forEach((name, array) -> arrays.put("model." + name, array));
        arrays.put("optimizer.state.0.exp_avg", manager.ones(new Shape(2)));
        arrays.put("best_val_loss", manager.ones(new Shape()));
        Slate other = slate(manager, 2);
        SlateLayouts.checkpoint().apply(StateDict.of(arrays)).loadInto(other);
        assertEqual(slate, other);
        StateDict back =
                SlateLayouts.withMasks(
                        SlateLayouts.checkpoint().revert(StateDict.of(slate)), manager, "model.");
        arrays.keySet().removeIf(name -> !name.startsWith("model."));
        assertEquals(new TreeSet<>(arrays.keySet()), new TreeSet<>(back.names()));
    }

    @Test
    void readsTheFlatNamesOfTheSecondImplementation(NDManager manager) {
        Slate slate = slate(manager, 1);
        NameMap map = SlateLayouts.objectDiscoveryPytorch();
        StateDict theirs =
                SlateLayouts.withMasks(map.revert(StateDict.of(slate)), manager, "model.");
        for (String name :
                new String[] {
                    "slot_mu",
                    "slot_log_sigma",
                    "input_layer_norm.weight",
                    "input_mlp.2.bias",
                    "norm_inputs.bias",
                    "project_k.weight",
                    "gru.weight_hh",
                    "mlp.0.weight"
                }) {
            assertTrue(theirs.names().contains("model.slot_attn." + name), name);
        }
        assertEquals(new Shape(3, 6), theirs.get("model.slot_attn.mlp.0.weight").getShape());
        assertTrue(theirs.names().contains("model.tf_dec.blocks.0.self_attn_mask"));
        Slate other = slate(manager, 2);
        map.apply(theirs).loadInto(other);
        assertEqual(slate, other);
    }

    @Test
    void refusesWhatIsNoSlate(NDManager manager) {
        StateDict dict = StateDict.of(Map.of("positional_encoder.pe", manager.ones(new Shape(2))));
        assertRefused(
                "SlateLayouts: positional_encoder.pe must be (1, L + 1, D), got (2)",
                () -> SlateLayouts.withMasks(dict, manager));
    }

    /** Files as torch.save writes them: make_slate_checkpoints.py. */
    static Stream<Arguments> torchFiles() {
        return Stream.of(
                arguments("slate_best_model.pt", SlateLayouts.original(), ""),
                arguments("slate_checkpoint.pt.tar", SlateLayouts.checkpoint(), "model."),
                arguments("slate_lightning.ckpt", SlateLayouts.objectDiscoveryPytorch(), "model."));
    }

    @ParameterizedTest
    @MethodSource("torchFiles")
    void readsWhatTorchWrites(
            String name, NameMap map, String prefix, NDManager manager, @TempDir Path folder)
            throws IOException {
        Path file = Files.write(folder.resolve(name), StateDictFileTest.bytesOf(name));
        Path values =
                Files.write(
                        folder.resolve("values.npz"),
                        StateDictFileTest.bytesOf("slate_values.npz"));
        Slate slate = slate(manager, 1);
        try (StateDict read = StateDict.read(file);
                StateDict expected = StateDict.read(values)) {
            map.apply(read).loadInto(slate);
            ReferenceCase.parameters(slate)
                    .forEach((one, array) -> Tensors.assertSame(one, expected.get(one), array));
            // And back: the names and values of the file, masks included; but for the optimizer.
            StateDict back =
                    SlateLayouts.withMasks(map.revert(StateDict.of(slate)), manager, prefix);
            Path written = folder.resolve("back.safetensors");
            back.write(written);
            try (StateDict again = StateDict.read(written)) {
                TreeSet<String> names = new TreeSet<>(read.names());
                names.removeIf(one -> one.startsWith("optimizer"));
                assertEquals(names, new TreeSet<>(again.names()));
                names.forEach(one -> Tensors.assertSame(one, read.get(one), again.get(one)));
            }
        }
    }

    /** One of the others' files: what is in the way is named. */
    @Test
    void aFileOfAnotherLayoutIsRefused(NDManager manager, @TempDir Path folder) throws IOException {
        String name = "slate_lightning.ckpt";
        Path file = Files.write(folder.resolve(name), StateDictFileTest.bytesOf(name));
        try (StateDict read = StateDict.read(file)) {
            String message =
                    assertThrows(
                                    IllegalArgumentException.class,
                                    () ->
                                            SlateLayouts.original()
                                                    .apply(read)
                                                    .loadInto(slate(manager, 1)))
                            .getMessage();
            assertTrue(message.contains("model."), message);
        }
    }
}
