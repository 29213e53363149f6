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
import org.slotwise.model.DecoderConfiguration;
import org.slotwise.model.ObjectDiscovery;
import org.slotwise.model.ObjectDiscoveryConfiguration;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.ObjectDiscoveryOutput;
import org.slotwise.model.Presets;
import org.slotwise.model.ShippedDraw;
import org.slotwise.torchscript.TorchScript;
import org.slotwise.weights.StateDict;

/**
 * A trained model that comes with the library, on scenes of its kind. In training it draws what
 * slots start from, and which pixels are made; each step here draws the same, which Python is
 * given.
 */
final class ShippedSubject implements WholeModel {

    /** Before the name of the model. */
    static final String SHIPPED = "shipped-";

    private static final int SEED = 0;

    private final NDManager manager;
    private final String name;
    private final int batch;
    private final ObjectDiscoveryConfiguration configuration;
    private final ObjectDiscovery block;
    private final PtSymbolBlock plain;
    private final NDArray plainTag;
    private final Map<String, NDList> inputs = new LinkedHashMap<>();
    private final NDArray pixels; // of a training step, the first row and column

    ShippedSubject(NDManager manager, String name) throws IOException {
        this.manager = manager;
        this.name = name;
        String trained = name.substring(SHIPPED.length());
        batch = Presets.named(trained).recipe().batchSize();
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.shipped(trained)) {
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
                trained.equals("tetrominoes")
                        ? Tetrominoes.builder().setSize(batch).build()
                        : MultiDSprites.builder().setSize(batch).build();
        List<byte[]> images = scenes.open().map(scene -> scene.image()).toList();
        pixels = draw(images);
        for (int count : new int[] {1, 8}) {
            inputs.put("" + count, new NDList(pictures(images.subList(0, count)), settled(count)));
        }
    }

    private NDArray pictures(List<byte[]> images) {
        return PictureArrays.images(
                manager, images, configuration.imageHeight(), configuration.imageWidth());
    }

    private Shape images(int count) {
        return new Shape(count, 3, configuration.imageHeight(), configuration.imageWidth());
    }

    /** What slots of a prediction start from: numbers for pixels, or places (B, K, 2). */
    private NDArray settled(int count) {
        NDArray one;
        if (configuration.conditioning() instanceof ConditioningConfiguration.Colours colours) {
            int places = pixels(colours);
            one = manager.create(ShippedDraw.uniform(places), new Shape(1, places));
        } else {
            one = grid();
        }
        return one.repeat(0, count);
    }

    /**
     * Draws for a training step as the model does.
     *
     * @return the first row and column
     */
    private NDArray draw(List<byte[]> images) {
        manager.getEngine().setRandomSeed(SEED);
        NDArray seen = pictures(images);
        inputs.put(STEP, new NDList(seen, drawn(seen)));
        double[] draws =
                manager.randomUniform(0, 1, new Shape(2), DataType.FLOAT64).toDoubleArray();
        int stride =
                ((DecoderConfiguration.ShapeAndColour) configuration.decoder()).trainingStride();
        return manager.create(new long[] {(long) (draws[0] * stride), (long) (draws[1] * stride)});
    }

    /** What slots of training start from. */
    private NDArray drawn(NDArray images) {
        int count = (int) images.getShape().get(0);
        if (configuration.conditioning() instanceof ConditioningConfiguration.Colours colours) {
            ShippedDraw.before(images, configuration.slots(), colours.stride());
            return manager.randomUniform(0, 1, new Shape(count, pixels(colours)));
        }
        float jitter =
                (float) ((ConditioningConfiguration.Grid) configuration.conditioning()).jitter();
        NDArray places = settled(count);
        return places.add(manager.randomUniform(-jitter, jitter, places.getShape()));
    }

    /** How many pixels are looked at. */
    private int pixels(ConditioningConfiguration.Colours colours) {
        int stride = colours.stride();
        int rows = (configuration.imageHeight() + stride - 1) / stride;
        int columns = (configuration.imageWidth() + stride - 1) / stride;
        return rows * columns;
    }

    private NDArray grid() {
        ConditioningConfiguration.Grid grid =
                (ConditioningConfiguration.Grid) configuration.conditioning();
        float[] places = new float[2 * configuration.slots()];
        int next = 0;
        for (double row : grid.rows()) {
            for (double column : grid.columns()) {
                places[next++] = (float) row;
                places[next++] = (float) column;
            }
        }
        return manager.create(places, new Shape(1, configuration.slots(), 2));
    }

    @Override
    public int batch() {
        return batch;
    }

    @Override
    public JsonObject request() {
        JsonObject request = new JsonObject();
        request.addProperty("module", name);
        request.add("configuration", new Gson().toJsonTree(configuration));
        return request;
    }

    @Override
    public Map<String, NDArray> numbers() {
        Map<String, NDArray> numbers = Peer.parameters(StateDict.of(block).arrays());
        inputs.forEach(
                (key, given) -> {
                    numbers.put("inputs." + key + ".seen", given.get(0));
                    numbers.put("inputs." + key + ".start", given.get(1));
                });
        numbers.put("inputs." + STEP + ".pixels", pixels);
        return numbers;
    }

    /** The exported model's slots start as in predictions, so that it is not trained. */
    @Override
    public List<ModelWay> ways(Compared compared) {
        Map<String, NDArray> leaves = new LinkedHashMap<>(StateDict.of(block).arrays());
        leaves.values().removeIf(array -> !array.hasGradient());
        leaves.values().forEach(array -> array.setName(null));
        return List.of(
                new OwnWay(manager, "library", inputs, compared, leaves, this::library),
                new OwnWay(manager, "plain", inputs, compared, Map.of(), this::plain));
    }

    /**
     * Iterations make rounding grow: eager PyTorch's slots in float32 are 1.4e-4 from those in
     * float64 for Tetrominoes, its gradients 6e-3.
     */
    @Override
    public boolean holds(Agreement found, double times) {
        return found.outputs() < times * 1e-3 && found.gradients() < times * 3e-2;
    }

    private NDList library(NDManager owner, NDList given, boolean training) {
        if (training) {
            manager.getEngine().setRandomSeed(SEED);
        }
        ParameterStore store = new ParameterStore(owner, false);
        ObjectDiscoveryOutput out = block.discover(store, given.get(0), training);
        NDList list = new NDList(out.reconstruction(), out.slots().objects());
        if (training) {
            list.add(Objects.requireNonNull(out.target()));
        }
        return list;
    }

    private NDList plain(NDManager owner, NDList given, boolean training) {
        NDList in = new NDList(given.get(0), plainTag);
        NDList out = NoGraph.during(() -> IValueUtils.forward(plain, in, training));
        NDList wanted = new NDList();
        for (String wish : List.of("reconstruction", "objects")) {
            wanted.add(Objects.requireNonNull(out.get(wish)));
        }
        out.stream().filter(array -> !wanted.contains(array)).forEach(NDArray::close);
        return wanted;
    }
}
