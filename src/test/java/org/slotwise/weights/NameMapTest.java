package org.slotwise.weights;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;
import static org.slotwise.testing.Tensors.assertClose;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.decoder.BroadcastArchitecture;
import org.slotwise.decoder.BroadcastArchitecture.Layer;
import org.slotwise.decoder.SpatialBroadcastDecoder;
import org.slotwise.encoder.ConvolutionalEncoder;
import org.slotwise.encoder.SlotAttentionEncoder;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.layer.FeedForward;
import org.slotwise.testing.OnDevice;
import org.slotwise.testing.Tensors;

/** Rules between names, and whole models of the Object-Centric Learning Framework. */
@ExtendWith(OnDevice.class)
class NameMapTest {

    private static Map<String, NDArray> zeros(NDManager manager, String... names) {
        Map<String, NDArray> arrays = new LinkedHashMap<>();
        for (String name : names) {
            arrays.put(name, manager.zeros(new Shape(2)));
        }
        return arrays;
    }

    private static List<String> names(StateDict dict) {
        return List.copyOf(dict.names());
    }

    @Test
    void starsStandForAnything(NDManager manager) {
        NameMap map =
                NameMap.builder()
                        .rule("a.*.w", "b.*.weight")
                        .rule("x*y*", "*-*")
                        .rule("m(1)+", "n")
                        .build();
        StateDict theirs = StateDict.of(zeros(manager, "a..w", "a.1.2.w", "xyy", "x.y.z", "m(1)+"));
        try (StateDict ours = map.apply(theirs)) {
            assertEquals(List.of("b..weight", "b.1.2.weight", "y-", ".-.z", "n"), names(ours));
            assertSame(theirs.get("a.1.2.w"), ours.get("b.1.2.weight"));
            try (StateDict back = map.revert(ours)) {
                assertEquals(names(theirs), names(back));
            }
        }
    }

    @Test
    void theFirstRuleCounts(NDManager manager) {
        NameMap map =
                NameMap.builder()
                        .drop("a.grid")
                        .alias("a.old.*", "b.*", Conversion.none())
                        .rule("a.*", "b.*")
                        .rule("a.w", "never")
                        .build();
        try (StateDict ours = map.apply(StateDict.of(zeros(manager, "a.grid", "a.w", "a.old.v")))) {
            assertEquals(List.of("b.w", "b.v"), names(ours));
            try (StateDict back = map.revert(ours)) {
                assertEquals(List.of("a.w", "a.v"), names(back), "not by the alias");
            }
        }
    }

    @Test
    void nothingIsLeftOverInSilence(NDManager manager) {
        NameMap.Builder builder = NameMap.builder().rule("models.grouping.*", "grouping.*");
        StateDict theirs =
                StateDict.of(zeros(manager, "models.grouping.w", "models.groping.v", "other"));
        assertRefused(
                """
                NameMap: a map: no rule for these names:
                  models.groping.v (nearest rule: models.grouping.*)
                  other\
                """,
                () -> builder.build().apply(theirs));
        assertRefused(
                """
                NameMap: a map: no rule for these names:
                  groupin.w (nearest rule: grouping.*)\
                """,
                () -> builder.build().revert(StateDict.of(zeros(manager, "groupin.w"))));
        NameMap keeping = builder.optKeepOthers(true).build();
        try (StateDict ours = keeping.apply(theirs)) {
            assertEquals(List.of("grouping.w", "models.groping.v", "other"), names(ours));
            try (StateDict back = keeping.revert(ours)) {
                assertEquals(names(theirs), names(back));
                assertSame(theirs.get("other"), back.get("other"));
            }
        }
    }

    @Test
    void countsWhatItDoesNotList(NDManager manager) {
        NameMap map = NameMap.builder().rule("a", "b").build();
        String[] names = IntStream.range(0, 101).mapToObj(i -> "n" + i).toArray(String[]::new);
        StateDict all = StateDict.of(zeros(manager, names));
        String got =
                assertThrows(IllegalArgumentException.class, () -> map.apply(all)).getMessage();
        assertTrue(got.endsWith("\n  n99\n  and 1 more"), got);
        StateDict listed = all.select(name -> !name.equals("n100"));
        got = assertThrows(IllegalArgumentException.class, () -> map.apply(listed)).getMessage();
        assertTrue(got.endsWith("\n  n99"), got);
    }

    /** Back too, nothing is lost in silence. */
    @Test
    void refusesTwoArraysOfOneNameBack(NDManager manager) {
        NameMap map = NameMap.builder().rule("x.*", "a.*").rule("x.*", "b.*").build();
        assertRefused(
                "NameMap: a map: two arrays would be named x.w",
                () -> map.revert(StateDict.of(zeros(manager, "a.w", "b.w"))));
        NameMap keeping = NameMap.builder().rule("x.*", "a.*").optKeepOthers(true).build();
        for (String[] names : new String[][] {{"a.w", "x.w"}, {"x.w", "a.w"}}) {
            assertRefused(
                    "NameMap: a map: two arrays would be named x.w",
                    () -> keeping.revert(StateDict.of(zeros(manager, names))));
        }
    }

    @Test
    void refusesWhatAConversionCannotGive(NDManager manager) {
        NameMap one = NameMap.builder().rule("a", List.of("b", "c"), Conversion.none()).build();
        assertRefused(
                "NameMap: a map: a must become [b, c], got arrays: 1",
                () -> one.apply(StateDict.of(zeros(manager, "a"))));
        Conversion both = KerasConversions.gruBias();
        NameMap two = NameMap.builder().rule("a", List.of("b"), both).build();
        assertRefused(
                "NameMap: a map: a must become [b], got arrays: 2",
                () -> two.apply(StateDict.of(Map.of("a", manager.zeros(new Shape(2, 6))))));
        NameMap dense = NameMap.builder().rule("*/k", "*.w", KerasConversions.dense()).build();
        assertRefused(
                "NameMap: a map: q.w must have 2 axes, got (2)",
                () -> dense.revert(StateDict.of(zeros(manager, "q.w"))));
    }

    @Test
    void refusesWhatIsAmbiguous(NDManager manager) {
        NameMap map = NameMap.builder().rule("a.*", "c.*").rule("b.*", "c.*").build();
        assertRefused(
                "NameMap: a map: two arrays would be named c.w",
                () -> map.apply(StateDict.of(zeros(manager, "a.w", "b.w"))));
        assertRefused(
                "NameMap: a.* and b must have as many * each",
                () -> NameMap.builder().rule("a.*", "b"));
        assertRefused(
                "NameMap: a needs a name; drop it instead",
                () -> NameMap.builder().rule("a", List.of(), Conversion.none()));
        for (int[] axes : new int[][] {{0, 0}, {0, 2}, {-1, 0}}) {
            assertRefused(
                    "Conversion: axes must be each of 0 to 1 once, got " + Arrays.toString(axes),
                    () -> Conversion.axes(axes));
        }
    }

    @Test
    void convertsBothWaysAndOwnsWhatItMakes(NDManager manager, @TempDir Path folder)
            throws IOException {
        NameMap map =
                NameMap.builder()
                        .rule("*/kernel", "*.weight", KerasConversions.dense())
                        .rule("gru/bias", List.of("b1", "b2"), KerasConversions.gruBias())
                        .build();
        NDArray kernel = Tensors.normal(manager, 1, 2, 3);
        NDArray bias = Tensors.normal(manager, 2, 2, 6);
        Path file = folder.resolve("w.npz");
        StateDict.of(Map.of("q/kernel", kernel, "gru/bias", bias)).write(file);
        StateDict theirs = StateDict.read(file);
        StateDict ours = map.apply(theirs);
        assertEquals(new Shape(3, 2), ours.get("q.weight").getShape());
        assertEquals(Device.cpu(), ours.get("q.weight").getDevice());
        StateDict back = map.revert(ours);
        assertClose("kernel", kernel.toDevice(Device.cpu(), false), back.get("q/kernel"), 0);
        assertRefused(
                "NameMap: " + file + ": gru/bias needs [b1, b2], missing: [b2]",
                () -> map.revert(ours.select(name -> !name.equals("b2"))));
        assertRefused(
                "NameMap: a map: q/kernel must have 2 axes, got (2)",
                () -> map.apply(StateDict.of(zeros(manager, "q/kernel"))));
        back.close();
        assertTrue(theirs.get("q/kernel").isReleased(), "closing one closes the file's");
        assertTrue(ours.get("q.weight").isReleased());

        StateDict owned = map.apply(StateDict.of(Map.of("q/kernel", kernel)));
        owned.close();
        assertTrue(owned.get("q.weight").isReleased());
        assertFalse(kernel.isReleased(), "another's array stays");
    }

    /** A block's own arrays ask for gradients; what is made of them does not. */
    @Test
    void recordsNoGraph(NDManager manager) {
        NDArray weight = Tensors.normal(manager, 1, 2, 3);
        weight.setRequiresGradient(true);
        NameMap map = NameMap.builder().rule("k", "w", KerasConversions.dense()).build();
        int before = manager.getManagedArrays().size();
        try (StateDict back = map.revert(StateDict.of(Map.of("w", weight)))) {
            assertFalse(back.get("k").hasGradient());
            assertEquals(before, manager.getManagedArrays().size(), "nothing stays behind");
        }
    }

    /** A Lightning checkpoint to images, with every part in between. */
    @Test
    void wholeOclfModelsComputeTheSame(NDManager manager, @TempDir Path folder) throws IOException {
        Map<String, Block> parts = model(manager);
        try (StateDict values = StateDictFileTest.fixture("checkpoint_oclf_values.npz");
                StateDict checkpoint = StateDictFileTest.fixture("checkpoint_oclf.ckpt")) {
            NameMap map = KnownLayouts.oclf();
            StateDict ours = map.apply(checkpoint);
            LoadReport report = ours.report(parts);
            assertTrue(report.fits(), report.faults());
            assertEquals(ours.names().size(), report.loaded().size());
            ours.loadInto(parts);
            Map<String, NDArray> v = new LinkedHashMap<>();
            values.arrays()
                    .forEach(
                            (name, a) -> {
                                NDArray copy = a.toDevice(manager.getDevice(), true);
                                copy.attach(manager);
                                v.put(name, copy);
                            });
            ParameterStore store = new ParameterStore(manager, false);
            FeatureExtractorOutput features =
                    ((SlotAttentionEncoder) parts.get("encoder"))
                            .extract(store, v.get("images"), false);
            assertClose("features", v.get("features"), features.features(), 1e-12);
            NDArray start =
                    ((RandomConditioning) parts.get("conditioning"))
                            .sample(store, v.get("noise"), false);
            NDArray slots =
                    ((SlotAttention) parts.get("grouping"))
                            .group(store, features, start, false)
                            .objects();
            assertClose("slots", v.get("slots"), slots, 1e-11);
            NDArray image =
                    ((SpatialBroadcastDecoder) parts.get("decoder"))
                            .decode(store, slots, false)
                            .reconstruction();
            assertClose("reconstruction", v.get("reconstruction"), image, 1e-11);

            Path file = folder.resolve("back.safetensors");
            try (StateDict back = map.revert(StateDict.ofParts(parts))) {
                back.write(file);
            }
            try (StateDict again = StateDict.read(file)) {
                Set<String> expected = new TreeSet<>(checkpoint.names());
                assertTrue(expected.remove("models.object_decoder.grid"), "a buffer there");
                assertEquals(expected, new TreeSet<>(again.names()));
                for (String name : expected) {
                    NDArray wide = checkpoint.get(name).toType(DataType.FLOAT64, true);
                    assertClose(name, wide, again.get(name), 0);
                }
            }
        }
    }

    private static Map<String, Block> model(NDManager manager) {
        Layer up = Layer.transposed(5, 5, 2);
        Map<String, Block> parts =
                Map.of(
                        "encoder",
                        SlotAttentionEncoder.builder()
                                .setBackbone(
                                        ConvolutionalEncoder.builder()
                                                .optChannels(4, 4, 4, 4)
                                                .optKernelSize(3)
                                                .build())
                                .optHidden(7)
                                .build(),
                        "conditioning",
                        RandomConditioning.builder().setDim(4).setSlots(3).build(),
                        "grouping",
                        SlotAttention.builder()
                                .setDim(4)
                                .setFeatureDim(4)
                                .optKvqDim(6)
                                .optFeedForward(new FeedForward(4, 5))
                                .build(),
                        "decoder",
                        SpatialBroadcastDecoder.builder()
                                .setSlotDim(4)
                                .setArchitecture(
                                        new BroadcastArchitecture(
                                                2, 3, List.of(up, up, Layer.transposed(4, 3, 1))))
                                .build());
        parts.forEach(
                (name, block) ->
                        block.initialize(
                                manager,
                                DataType.FLOAT64,
                                name.equals("encoder")
                                        ? new Shape(-1, 3, 6, 7)
                                        : new Shape(-1, -1, 4)));
        return parts;
    }

    @Test
    void reportsWhatIsMissing(NDManager manager) throws IOException {
        Map<String, Block> parts = model(manager);
        try (StateDict checkpoint = StateDictFileTest.fixture("checkpoint_oclf.ckpt")) {
            StateDict ours =
                    KnownLayouts.oclf()
                            .apply(checkpoint)
                            .rename(name -> name.replace("to_q", "to_qu"))
                            .select(name -> !name.startsWith("conditioning."));
            LoadReport report = ours.report(parts);
            assertFalse(report.fits());
            assertEquals(
                    Set.of(
                            "grouping.to_q.weight",
                            "conditioning.slots_mu",
                            "conditioning.slots_logsigma"),
                    report.missing());
            assertEquals(Set.of("grouping.to_qu.weight"), report.unexpected());
            assertEquals(Map.of("grouping.to_q.weight", "grouping.to_qu.weight"), report.nearest());
            String message =
                    assertThrows(IllegalArgumentException.class, () -> ours.loadInto(parts))
                            .getMessage();
            assertTrue(
                    message.contains("nearest: grouping.to_q.weight may be grouping.to_qu.weight"),
                    message);
            assertTrue(ours.report(parts.get("grouping")).loaded().isEmpty(), "other names");
        }
    }

    /** What a map makes of names; "-" where it drops. */
    private static void assertNames(NDManager manager, NameMap map, String... fromTo) {
        Map<String, String> expected = new LinkedHashMap<>();
        for (int i = 0; i < fromTo.length; i += 2) {
            expected.put(fromTo[i], fromTo[i + 1]);
        }
        StateDict theirs = StateDict.of(zeros(manager, expected.keySet().toArray(String[]::new)));
        try (StateDict ours = map.apply(theirs)) {
            assertEquals(
                    expected.values().stream().filter(name -> !name.equals("-")).toList(),
                    names(ours));
        }
    }

    /** Losses and metrics of a Lightning checkpoint are no part of a model. */
    @Test
    void whatIsNoPartOfAModelIsDropped(NDManager manager) {
        for (NameMap map :
                List.of(KnownLayouts.oclf(), KnownLayouts.oclfModules(), KnownLayouts.oclfSavi())) {
            assertNames(
                    manager,
                    map,
                    "models.object_decoder.grid",
                    "-",
                    "losses.mse.w",
                    "-",
                    "training_metrics.ari.w",
                    "-",
                    "evaluation_metrics.ari.w",
                    "-");
        }
    }

    /** Modules other than those of the standard model keep their structure. */
    @Test
    void modulesOfOtherModels(NDManager manager) {
        assertNames(
                manager,
                KnownLayouts.oclfModules(),
                "models.perceptual_grouping.in_proj.weight",
                "grouping.in_proj.weight",
                "models.feature_extractor.layers.0.bias",
                "encoder.layers.0.bias",
                "models.object_decoder.mlp.0.bias",
                "decoder.mlp.0.bias",
                "models.transition_model.w",
                "transition_model.w");
        assertNames(
                manager,
                KnownLayouts.oclfSavi(),
                "models.perceptual_grouping.module.slot_attention.to_q.weight",
                "grouping.slot_attention.to_q.weight",
                "models.feature_extractor.layers.0.bias",
                "encoder.layers.0.bias",
                "models.object_decoder.decoder.0.bias",
                "decoder.decoder.0.bias",
                "models.transition_model.w",
                "transition_model.w");
    }
}
