package org.slotwise.benchmark;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slotwise.training.Adam;
import org.slotwise.unet.BranchNormConfiguration;
import org.slotwise.unet.BranchNormUNet;
import org.slotwise.unet.Denoiser;
import org.slotwise.unet.Heads;
import org.slotwise.unet.TransformerOptions;
import org.slotwise.unet.UNet;
import org.slotwise.unet.UNetConfiguration;

/**
 * Training steps of a denoiser with Adam: seconds of each, and the most memory that the process
 * had. {@code modules}: col775, small, latentSlotDiffusion or slotDiffusion; {@code sizes}: the
 * batch; {@code rounds}: the steps.
 */
final class DenoiserStep {

    private DenoiserStep() {}

    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        String model = arguments.list("modules", "col775").get(0);
        int batch = Integer.parseInt(arguments.list("sizes", "2").get(0));
        int steps = Integer.parseInt(arguments.list("rounds", "2").get(0));
        Engine.getEngine("PyTorch");
        EngineThreads.set(Integer.parseInt(arguments.list("threads", "1").get(0)));
        try (NDManager manager = arguments.manager()) {
            Shape latents =
                    switch (model) {
                        case "small" -> new Shape(batch, 4, 8, 8);
                        case "latentSlotDiffusion" -> new Shape(batch, 4, 32, 32);
                        default -> new Shape(batch, 3, 32, 32);
                    };
            int slotDim = model.equals("col775") || model.equals("small") ? 64 : 192;
            Denoiser denoiser = denoiser(model);
            denoiser.initialize(manager, DataType.FLOAT32, latents);
            report(model + " ready", 0);
            Adam adam = Adam.builder().build();
            ParameterStore store = new ParameterStore(manager, false);
            for (int i = 0; i < steps; i++) {
                double milliseconds =
                        Contender.milliseconds(
                                manager,
                                () -> {
                                    try (NDManager step = manager.newSubManager()) {
                                        step(step, denoiser, store, latents, slotDim);
                                        update(denoiser, adam);
                                    }
                                });
                report("step " + i, milliseconds);
            }
        }
    }

    private static void update(Denoiser denoiser, Adam adam) {
        denoiser.getParameters()
                .forEach(
                        p -> {
                            NDArray value = p.getValue().getArray();
                            if (value.hasGradient()) {
                                try (NDArray gradient = value.getGradient()) {
                                    adam.update(p.getKey(), value, gradient);
                                }
                            }
                        });
    }

    private static Denoiser denoiser(String model) {
        return switch (model) {
            case "col775" -> new BranchNormUNet(BranchNormConfiguration.col775());
            case "latentSlotDiffusion" -> new UNet(UNetConfiguration.latentSlotDiffusion());
            case "slotDiffusion" -> new UNet(UNetConfiguration.slotDiffusion());
            default ->
                    new UNet(
                            UNetConfiguration.builder()
                                    .setChannels(4, 4)
                                    .setWidths(32, 64)
                                    .setTransformer(TransformerOptions.of(64, Heads.size(16)))
                                    .optGroups(8)
                                    .build());
        };
    }

    private static void step(
            NDManager manager, Denoiser denoiser, ParameterStore store, Shape latents, int dim) {
        long batch = latents.get(0);
        NDArray z = manager.randomNormal(latents);
        NDArray noise = manager.randomNormal(latents);
        NDArray slots = manager.randomNormal(new Shape(batch, 11, dim));
        NDArray times = manager.zeros(new Shape(batch), DataType.INT64);
        try (GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            NDArray predicted = denoiser.predict(store, z, times, slots, true);
            collector.backward(predicted.sub(noise).square().mean());
        }
    }

    private static void report(String what, double milliseconds) throws IOException {
        String status = Files.readString(Path.of("/proc/self/status"));
        String peak = status.replaceAll("(?s).*VmHWM:\\s*(\\d+) kB.*", "$1");
        System.out.printf(
                "%s: %.3f s, peak %d MB%n", what, milliseconds / 1e3, Long.parseLong(peak) / 1024);
    }
}
