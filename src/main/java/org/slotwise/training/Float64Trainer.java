package org.slotwise.training;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import org.slotwise.internal.Check;
import org.slotwise.internal.Ops;

/**
 * DJL's {@link Trainer} for parameters of float64, on one device.
 *
 * <p>Before the first step DJL's trainer looks whether the gradients are all zero, and reads their
 * sum as a float32: with parameters of another type that step is an {@link IllegalStateException}
 * ("DataType mismatch, Required float, Actual float64"), whatever optimizer there is. This trainer
 * looks itself, in the parameters' type, and does all else as DJL's.
 *
 * <pre>{@code
 * model.setDataType(DataType.FLOAT64);
 * try (Trainer trainer = new Float64Trainer(model, config)) {   // in place of model.newTrainer(config)
 *     trainer.initialize(new Shape(8, 49, 32));
 *     EasyTrain.fit(trainer, epochs, training, validation);
 * }
 * }</pre>
 *
 * <p>As {@code Model.newTrainer}, it uses the configuration's initializers. What {@code Model.load}
 * has frozen stays so: call {@code block.freezeParameters(false)} before. Parameters of float32
 * train with it too.
 */
public class Float64Trainer extends Trainer {

    private static final String WHO = "Float64Trainer";

    // DJL keeps its own out of reach.
    private final ParameterStore store;
    private boolean gradientsSeen;

    /**
     * Makes a trainer; close it after training.
     *
     * @param model a model with a block
     * @param config how it is trained, on one device
     * @throws IllegalArgumentException if the configuration is of several devices
     * @throws IllegalStateException if the model has no block
     */
    public Float64Trainer(Model model, TrainingConfig config) {
        super(withInitializers(model, config), config);
        store = new ParameterStore(getManager(), false);
        store.setParameterServer(
                getManager().getEngine().newParameterServer(config.getOptimizer()), getDevices());
    }

    private static Model withInitializers(Model model, TrainingConfig config) {
        int devices = config.getDevices().length;
        Check.option(devices == 1, WHO + ": there must be one device, got " + devices);
        if (model.getBlock() == null) {
            throw new IllegalStateException(WHO + ": set the model's block first");
        }
        config.getInitializers()
                .forEach(
                        pair -> {
                            if (pair.getKey() != null && pair.getValue() != null) {
                                model.getBlock().setInitializer(pair.getKey(), pair.getValue());
                            }
                        });
        return model;
    }

    @Override
    public void initialize(Shape... shapes) {
        Model model = getModel();
        model.getBlock().initialize(model.getNDManager(), model.getDataType(), shapes);
        // As DJL's: the device has its copies before the first step.
        for (Parameter parameter : model.getBlock().getParameters().values()) {
            store.getValue(parameter, getDevices()[0], true);
        }
    }

    @Override
    public NDList forward(NDList data) {
        long begin = System.nanoTime();
        try {
            return getModel().getBlock().forward(store, data, true);
        } finally {
            addMetric("forward", begin);
        }
    }

    @Override
    public NDList forward(NDList data, NDList labels) {
        long begin = System.nanoTime();
        try {
            return getModel().getBlock().forward(store, data, labels, null);
        } finally {
            addMetric("forward", begin);
        }
    }

    @Override
    public NDList evaluate(NDList data) {
        return getModel().getBlock().forward(store, data, false, null);
    }

    /**
     * Updates the parameters.
     *
     * @throws IllegalStateException if all gradients are zero before the first step
     */
    @Override
    public void step() {
        if (!gradientsSeen) {
            requireGradients();
            gradientsSeen = true;
        }
        long begin = System.nanoTime();
        store.updateAllParameters();
        addMetric("step", begin);
    }

    private void requireGradients() {
        for (Parameter parameter : getModel().getBlock().getParameters().values()) {
            if (parameter.requiresGradient()) {
                NDArray array = store.getValue(parameter, getDevices()[0], true);
                try (NDArray gradient = array.getGradient();
                        NDArray zero = gradient.neq(0);
                        NDArray any = zero.any()) {
                    if (Ops.read(any)[0] != 0) {
                        return;
                    }
                }
            }
        }
        throw new IllegalStateException(
                WHO
                        + ": all gradients are zero; call backward of the gradient collector with"
                        + " the loss before step");
    }
}
