package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValueUtils;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slotwise.data.Scenes;
import org.slotwise.data.generated.MultiDSprites;
import org.slotwise.data.generated.Tetrominoes;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.PictureArrays;
import org.slotwise.model.ConditioningConfiguration;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.model.ShippedDraw;
import org.slotwise.torchscript.TorchScript;
import org.slotwise.weights.StateDict;

/** Predictions of a trained model that comes with the library, on scenes of its kind. */
final class ShippedSubject {

    /** Before the name of the model. */
    static final String SHIPPED = "shipped-";

    private static final int MOST = 8;

    private final NDManager manager;
    private final ObjectDiscoveryConfiguration configuration;
    private final ObjectDiscovery block;
    private final PtSymbolBlock plain;
    private final NDArray plainTag;
    private final Map<String, NDArray> inputs = new LinkedHashMap<>();

    ShippedSubject(NDManager manager, String name) throws IOException {
        this.manager = manager;
        try (ObjectDiscoveryModel model =
                ObjectDiscoveryModel.shipped(name.substring(SHIPPED.length()))) {
            configuration = model.configuration();
            // On the manager's device, which need not be the model's.
            block = new ObjectDiscovery(configuration);
            block.initialize(manager, DataType.FLOAT32, images(1));
            StateDict.of(model.block()).loadInto(block);
        }
        ByteArrayOutputStream archive = new ByteArrayOutputStream();
        TorchScript.of(block).write(archive);
        plain =
                JniUtils.loadModule(
                        (PtNDManager) manager,
                        new ByteArrayInputStream(archive.toByteArray()),
                        true,
                        false);
        plainTag = manager.create(0);
        plainTag.setName("module_method:forward");
        Scenes scenes =
                name.endsWith("tetrominoes")
                        ? Tetrominoes.builder().setSize(MOST).build()
                        : MultiDSprites.builder().setSize(MOST).build();
        List<byte[]> images = scenes.open().map(scene -> scene.image()).toList();
        for (int count : new int[] {2, 1, MOST}) {
            inputs.put(
                    count == 2 ? ModelSubject.FEW : "" + count,
                    PictureArrays.images(
                            manager,
                            images.subList(0, count),
                            configuration.imageHeight(),
                            configuration.imageWidth()));
        }
    }

    private Shape images(int count) {
        return new Shape(count, 3, configuration.imageHeight(), configuration.imageWidth());
    }

    /** What the model was made from, as the Python side reads it. */
    JsonObject configuration() {
        return new Gson().toJsonTree(configuration).getAsJsonObject();
    }

    /** Weights and inputs, as the Python side reads them. */
    Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = new LinkedHashMap<>();
        StateDict.of(block)
                .arrays()
                .forEach((name, array) -> numbers.put("parameters." + name, array));
        inputs.forEach((name, images) -> numbers.put("inputs." + name + ".seen", images));
        if (configuration.conditioning() instanceof ConditioningConfiguration.Colours colours) {
            int stride = colours.stride();
            int rows = (configuration.imageHeight() + stride - 1) / stride;
            int columns = (configuration.imageWidth() + stride - 1) / stride;
            int places = rows * columns;
            Shape shape = new Shape(1, places);
            numbers.put("uniform", manager.create(ShippedDraw.uniform(places), shape));
        }
        return numbers;
    }

    List<ModelWay> ways() {
        return List.of(way("library", this::library), way("plain", this::plain));
    }

    private interface Forward {
        NDList apply(NDManager owner, NDArray images);
    }

    private NDList library(NDManager owner, NDArray images) {
        ObjectDiscoveryOutput out = block.discover(new ParameterStore(owner, false), images, false);
        return new NDList(out.reconstruction(), out.slots().objects());
    }

    private NDList plain(NDManager owner, NDArray images) {
        NDList out =
                NoGraph.during(
                        () -> IValueUtils.forward(plain, new NDList(images, plainTag), false));
        NDList wanted = new NDList();
        for (String name : List.of("reconstruction", "objects")) {
            wanted.add(Objects.requireNonNull(out.get(name)));
        }
        out.stream().filter(array -> !wanted.contains(array)).forEach(NDArray::close);
        return wanted;
    }

    private ModelWay way(String name, Forward forward) {
        return new ModelWay() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public double run(String which, boolean training) {
                return Contender.milliseconds(manager, () -> predict(which, out -> {}));
            }

            @Override
            public double peak(String which, boolean training) {
                return GpuMemory.peak(manager, () -> run(which, training));
            }

            private void predict(String which, java.util.function.Consumer<NDList> reader) {
                NDArray images = Objects.requireNonNull(inputs.get(which));
                try (NDManager scratch = manager.newSubManager()) {
                    NDArray view = images.reshape(images.getShape());
                    view.attach(scratch);
                    NDList out = forward.apply(scratch, view);
                    reader.accept(out);
                    out.forEach(NDArray::close);
                }
            }

            @Override
            public Map<String, float[]> results() {
                Map<String, float[]> results = new LinkedHashMap<>();
                predict(
                        ModelSubject.FEW,
                        out -> {
                            results.put("reconstruction", out.get(0).toFloatArray());
                            results.put("objects", out.get(1).toFloatArray());
                        });
                return results;
            }
        };
    }
}
