package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.PatchDecoder;
import org.slotwise.decoder.SlotDecoder;
import org.slotwise.encoder.FeatureExtractor;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.SlotAttentionGrouping;
import org.slotwise.internal.NoGraph;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.TorchScript;
import org.slotwise.weights.StateDict;

/** A whole model with inputs and weights, computed by the library or by the TorchScript of it. */
final class ModelSubject implements WholeModel {

    private static final String WITH_ENCODER =
            """
            def forward(self, images: Tensor, slots: Tensor) -> Tuple[Tensor, Tensor]:
              f = self.encoder.forward(images)
              g = self.grouping.group(torch.__getitem__(f, "features"), torch.__getitem__(f, "positions"), slots)
              out = self.decoder.forward(torch.__getitem__(g, "objects"))
              return (torch.__getitem__(out, "reconstruction"), torch.__getitem__(g, "objects"))
            """;

    private static final String FEATURES =
            """
            def forward(self, features: Tensor, slots: Tensor) -> Tuple[Tensor, Tensor]:
              g = self.grouping.group(features, features, slots)
              out = self.decoder.forward(torch.__getitem__(g, "objects"))
              return (torch.__getitem__(out, "reconstruction"), torch.__getitem__(g, "objects"))
            """;

    private final NDManager manager;
    private final ModelSize size;
    private final Map<String, Block> parts = new LinkedHashMap<>();
    private final @Nullable FeatureExtractor encoder;
    private final SlotAttentionGrouping grouping;
    private final Block decoder;
    private final Map<String, NDArray> weights = new LinkedHashMap<>();
    private final PtSymbolBlock plain;
    private final NDArray plainTag;
    private final Map<String, NDArray> plainWeights = new LinkedHashMap<>();
    private final Map<String, NDList> inputs = new LinkedHashMap<>();
    private final @Nullable ObjectDiscovery whole;

    ModelSubject(NDManager manager, ModelSize size, double within) throws IOException {
        this.manager = manager;
        this.size = size;
        encoder = size.encoder();
        grouping = size.grouping();
        decoder = size.decoder();
        if (encoder != null) {
            parts.put("encoder", encoder);
        }
        parts.put("grouping", grouping);
        parts.put("decoder", decoder);
        manager.getEngine().setRandomSeed(0);
        initialize();
        parts.forEach(
                (name, part) ->
                        StateDict.of(part)
                                .arrays()
                                .forEach((key, array) -> weights.put(name + "." + key, array)));
        weights.values().forEach(array -> array.setName(null));
        weights.values().removeIf(array -> !array.hasGradient());
        plain = script();
        plainTag = manager.create(0);
        plainTag.setName("module_method:forward");
        NDList values = JniUtils.moduleGetParams(plain, (PtNDManager) manager);
        for (NDArray value : values) {
            String name = value.getName();
            value.setName(null);
            plainWeights.put(name, value);
        }
        if (!plainWeights.keySet().containsAll(weights.keySet())) {
            throw new IllegalStateException(plainWeights.keySet() + " and " + weights.keySet());
        }
        inputs.put(STEP, drawn(size.batch()));
        inputs.put("1", drawn(1));
        inputs.put("8", drawn(8));
        whole = whole(within);
    }

    /** What a user has who predicts: the model, whose slots start from those of the one picture. */
    private @Nullable ObjectDiscovery whole(double within) {
        ObjectDiscoveryConfiguration configuration = size.configuration();
        if (configuration == null) {
            return null;
        }
        ObjectDiscovery model = new ObjectDiscovery(configuration);
        model.initialize(manager, DataType.FLOAT32, size.input(1));
        Map<String, NDArray> theirs = new LinkedHashMap<>(StateDict.of(model).arrays());
        weights.forEach(
                (name, array) ->
                        array.copyTo(
                                Objects.requireNonNull(
                                        theirs.remove(name.replace("slot_attention.", "")))));
        NDList one = Objects.requireNonNull(inputs.get("1"));
        Objects.requireNonNull(theirs.remove("conditioning.slots")).set(one.get(1).toByteBuffer());
        if (!theirs.isEmpty()) {
            throw new IllegalStateException("weights are left: " + theirs.keySet());
        }
        float[] expected = inParts(manager, one, false).head().toFloatArray();
        float[] actual = predicted(manager, model, one).head().toFloatArray();
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(expected[i] - actual[i]) < within * 1e-5)) {
                throw new IllegalStateException(expected[i] + " and " + actual[i]);
            }
        }
        return model;
    }

    private static NDList predicted(NDManager owner, ObjectDiscovery model, NDList inputs) {
        ObjectDiscoveryOutput out =
                model.discover(new ParameterStore(owner, false), inputs.get(0), false);
        return new NDList(out.reconstruction(), out.slots().objects());
    }

    private void initialize() {
        Shape images = size.input(1);
        Shape features = images;
        if (encoder != null) {
            encoder.initialize(manager, DataType.FLOAT32, images);
            features = encoder.getOutputShapes(new Shape[] {images})[0];
        }
        grouping.initialize(manager, DataType.FLOAT32, features, size.slots(1));
        decoder.initialize(manager, DataType.FLOAT32, size.slots(1));
    }

    private PtSymbolBlock script() throws IOException {
        ScriptModule.Builder whole = ScriptModule.builder("Model");
        parts.forEach((name, part) -> whole.module(name, ScriptModule.of("Models", part)));
        whole.setCode(encoder == null ? FEATURES : WITH_ENCODER);
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        TorchScript.of(whole.build()).write(archive);
        return JniUtils.loadModule(
                (PtNDManager) manager,
                new ByteArrayInputStream(archive.toByteArray()),
                true,
                false);
    }

    /** Images or features of a pass, and what slots start from. */
    private NDList drawn(int count) {
        manager.getEngine().setRandomSeed(count);
        NDArray seen =
                encoder == null
                        ? manager.randomNormal(size.input(count))
                        : manager.randomUniform(-1, 1, size.input(count));
        return new NDList(seen, manager.randomNormal(size.slots(count)));
    }

    @Override
    public int batch() {
        return size.batch();
    }

    @Override
    public JsonObject request() {
        JsonObject request = new JsonObject();
        request.addProperty("module", size.toString());
        return request;
    }

    @Override
    public Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = Peer.parameters(weights);
        inputs.forEach(
                (name, list) -> {
                    numbers.put("inputs." + name + ".seen", list.get(0));
                    numbers.put("inputs." + name + ".start", list.get(1));
                });
        return numbers;
    }

    @Override
    public List<ModelWay> ways(Compared compared) {
        return List.of(
                new OwnWay(manager, "library", inputs, compared, weights, this::library),
                new OwnWay(manager, "plain", inputs, compared, plainWeights, this::plain));
    }

    /** Reconstruction and slots. */
    private NDList library(NDManager owner, NDList inputs, boolean training) {
        return training || whole == null
                ? inParts(owner, inputs, training)
                : predicted(owner, whole, inputs);
    }

    private NDList inParts(NDManager owner, NDList inputs, boolean training) {
        ParameterStore store = new ParameterStore(owner, false);
        NDArray seen = inputs.get(0);
        FeatureExtractorOutput features =
                encoder == null
                        ? new FeatureExtractorOutput(seen, null, Map.of())
                        : encoder.extract(store, seen, training);
        NDArray slots = grouping.group(store, features, inputs.get(1), training).objects();
        NDArray made =
                decoder instanceof PatchDecoder patches
                        ? patches.decode(store, slots, training).reconstruction()
                        : ((SlotDecoder) decoder).decode(store, slots, training).reconstruction();
        return new NDList(made, slots);
    }

    private NDList plain(NDManager owner, NDList inputs, boolean training) {
        NDList list = new NDList(inputs.get(0), inputs.get(1), plainTag);
        return training
                ? IValueUtils.forward(plain, list, true)
                : NoGraph.during(() -> IValueUtils.forward(plain, list, true));
    }
}
