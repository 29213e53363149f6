package org.slotwise.encoder;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.util.Pair;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Ops;

/** A network of any engine, loaded from a file: arrays of PyTorch in, arrays of PyTorch out. */
final class BackboneNetwork implements AutoCloseable {

    /** How many images the network is tried on: one that was made for batches of one shows it. */
    static final int PROBE = 2;

    private static final String FEATURES = "features";

    private final Model model;
    private final Device device;
    private final boolean torchScript;
    private final DataType type;

    /** The parameters that are trained, and the arrays in which the network has them. */
    private final List<Parameter> parameters = new ArrayList<>();

    private final List<NDArray> arrays = new ArrayList<>();

    BackboneNetwork(Model model, Device device, boolean torchScript) {
        this.model = model;
        this.device = device;
        this.torchScript = torchScript;
        type = torchScript ? typeOf(model.getBlock()) : DataType.FLOAT32;
    }

    private static DataType typeOf(Block block) {
        return block.getDirectParameters().values().stream()
                .map(parameter -> parameter.getArray().getDataType())
                .filter(DataType::isFloating)
                .findFirst()
                .orElse(DataType.FLOAT32);
    }

    DataType type() {
        return type;
    }

    /** Requires images of the network's type; those of TorchScript on its device. */
    void check(String who, NDArray images) {
        Check.type(who, FeatureMap.IMAGES, images, type, " as the network");
        Check.option(
                !torchScript || images.getDevice().equals(device),
                who
                        + ": images must be on "
                        + device
                        + " as the network, got "
                        + images.getDevice());
    }

    /** The outputs by name for normalised images. */
    Map<String, NDArray> run(ParameterStore store, NDArray images, boolean training) {
        NDList outputs;
        try {
            outputs = torchScript ? script(store, images, training) : convert(store, images);
        } finally {
            Reference.reachabilityFence(this); // and with it the network
        }
        Map<String, NDArray> named = new LinkedHashMap<>();
        boolean numbered = outputs.stream().anyMatch(array -> array.getName() == null);
        for (int i = 0; i < outputs.size(); i++) {
            NDArray array = outputs.get(i);
            named.put(numbered ? Integer.toString(i) : array.getName(), array);
            array.setName(null);
        }
        return named;
    }

    private NDList script(ParameterStore store, NDArray images, boolean training) {
        return model.getBlock().forward(store, new NDList(images), training);
    }

    private NDList convert(ParameterStore store, NDArray images) {
        NDList result = new NDList();
        try (NDManager own = model.getNDManager().newSubManager();
                NDManager host = images.getManager().newSubManager(Device.cpu())) {
            NDArray copy = host.create(images.getShape(), type);
            Ops.overwrite(copy, images);
            NDArray input = own.create(copy.toByteBuffer(true), images.getShape(), type);
            for (NDArray output : model.getBlock().forward(store, new NDList(input), false)) {
                NDArray array =
                        images.getManager()
                                .create(
                                        output.toByteBuffer(),
                                        output.getShape(),
                                        output.getDataType())
                                .toDevice(images.getDevice(), false);
                array.setName(output.getName());
                result.add(array);
            }
        }
        return result;
    }

    /** Refuses parameters of types that end the process in native code. */
    private void checkTypes(String who) throws MalformedModelException {
        if (!torchScript) {
            return;
        }
        for (Pair<String, Parameter> own : model.getBlock().getDirectParameters()) {
            DataType t = own.getValue().getArray().getDataType();
            if (t == DataType.BFLOAT16 || t == DataType.UNKNOWN) {
                throw new MalformedModelException(
                        who
                                + ": the network's parameters must be float32, float64 or float16, "
                                + own.getKey()
                                + " is bfloat16 or of an unknown type");
            }
        }
    }

    /** The shapes of the outputs by name for {@link #PROBE} images. */
    Map<String, Shape> probe(String who, int height, int width) throws MalformedModelException {
        checkTypes(who);
        Device where = torchScript ? device : Device.cpu(); // PyTorch may not know the device
        try (NDManager manager = NDManager.newBaseManager(where, "PyTorch")) {
            NDArray images =
                    manager.zeros(new Shape(PROBE, FeatureMap.CHANNELS, height, width), type);
            ParameterStore store = new ParameterStore(manager, false);
            Map<String, Shape> shapes = new TreeMap<>();
            NoGraph.during(() -> run(store, images, false))
                    .forEach((name, array) -> shapes.put(name, array.getShape()));
            return shapes;
        } catch (EngineException | UnsupportedOperationException e) {
            requireAnyBatch(who, height, width, e);
            throw new MalformedModelException(
                    who
                            + ": the network cannot be run on images "
                            + new Shape(PROBE, FeatureMap.CHANNELS, height, width)
                            + ": "
                            + BackboneFile.firstLine(e),
                    e);
        }
    }

    /** Says so where one image passes that could not pass with another. */
    private void requireAnyBatch(String who, int height, int width, RuntimeException cause)
            throws MalformedModelException {
        try (NDManager manager = NDManager.newBaseManager(device, "PyTorch")) {
            NDArray one = manager.zeros(new Shape(1, FeatureMap.CHANNELS, height, width), type);
            NoGraph.during(() -> run(new ParameterStore(manager, false), one, false));
        } catch (EngineException | UnsupportedOperationException e) {
            return; // the batch is not what is wrong
        }
        throw new MalformedModelException(
                who
                        + ": the network takes only one image at a time, the batch it was traced"
                        + " with; export it with a batch of any size",
                cause);
    }

    /** Which output the features are. */
    static String main(String who, @Nullable String asked, Map<String, Shape> outputs)
            throws MalformedModelException {
        String name = asked;
        if (name == null) {
            name = outputs.size() == 1 ? outputs.keySet().iterator().next() : "0";
            name = outputs.containsKey(FEATURES) ? FEATURES : name;
        }
        if (!outputs.containsKey(name)) {
            throw new MalformedModelException(
                    who
                            + ": output must be one of "
                            + outputs.keySet()
                            + ", got "
                            + (asked == null ? "none" : asked));
        }
        return name;
    }

    /** Makes the network's parameters trainable, except running statistics and counters. */
    List<Parameter> trainable(String who) throws MalformedModelException {
        for (Pair<String, Parameter> own : model.getBlock().getDirectParameters()) {
            Parameter parameter = own.getValue();
            Parameter.Type kind = parameter.getType();
            boolean statistic =
                    kind == Parameter.Type.RUNNING_MEAN || kind == Parameter.Type.RUNNING_VAR;
            if (parameter.getArray().getDataType().isFloating() && !statistic) {
                parameter.freeze(false);
            }
            parameters.add(parameter);
            arrays.add(parameter.getArray());
        }
        if (parameters.stream().noneMatch(Parameter::requiresGradient)) {
            throw new MalformedModelException(
                    who + ": the network has no parameters to train; was it frozen when exported?");
        }
        return parameters;
    }

    /** Writes what was read into the parameters to where the network has them. */
    void take(String who) throws MalformedModelException {
        for (int i = 0; i < arrays.size(); i++) {
            NDArray own = arrays.get(i);
            NDArray read = parameters.get(i).getArray();
            if (!read.getShape().equals(own.getShape())) {
                throw new MalformedModelException(
                        who
                                + ": "
                                + parameters.get(i).getName()
                                + " must be "
                                + own.getShape()
                                + ", got "
                                + read.getShape());
            }
        }
        for (int i = 0; i < arrays.size(); i++) {
            Ops.overwrite(arrays.get(i), parameters.get(i).getArray());
        }
    }

    /** Gives the parameters the network's own arrays again. */
    void restore() {
        for (int i = 0; i < arrays.size(); i++) {
            Parameter parameter = parameters.get(i);
            if (parameter.getArray() != arrays.get(i)) {
                parameter.close();
                parameter.setShape(null);
                parameter.setArray(arrays.get(i));
            }
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
