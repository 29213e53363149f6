package org.slotwise.model;

import java.nio.file.Path;
import org.slotwise.data.PictureFit;
import org.slotwise.internal.Check;

/**
 * A model with a name: what it is made from, and how it is trained.
 *
 * @param name how it is asked for
 * @param description one line: whose model it is
 * @param configuration what it is made from
 * @param recipe how it is trained
 */
public record Preset(
        String name,
        String description,
        ObjectDiscoveryConfiguration configuration,
        TrainingRecipe recipe) {

    /**
     * The same with a network's file, for presets whose encoder is one.
     *
     * @param file TorchScript, or ONNX if the name ends in .onnx
     * @return a preset
     * @throws IllegalArgumentException if the encoder is no network from a file
     */
    public Preset withBackbone(Path file) {
        boolean network = configuration.encoder() instanceof EncoderConfiguration.Pretrained;
        Check.option(network, "Preset: " + name + " has no network from a file");
        EncoderConfiguration.Pretrained encoder =
                (EncoderConfiguration.Pretrained) configuration.encoder();
        return new Preset(
                name,
                description,
                configuration.withEncoder(encoder.withFile(file.toString())),
                recipe);
    }

    /**
     * The same with another number of slots.
     *
     * @param slots K
     * @return a preset
     */
    public Preset withSlots(int slots) {
        return new Preset(name, description, configuration.withSlots(slots), recipe);
    }

    /**
     * The same for pictures that come to the model's size in another way.
     *
     * @param fit how
     * @return a preset
     */
    public Preset withFit(PictureFit fit) {
        return new Preset(name, description, configuration.withFit(fit), recipe);
    }

    /**
     * The same for images of another size. Whether all parts can take it is found out when the
     * model is made: decoders with a fixed grid cannot.
     *
     * @param height H
     * @param width W
     * @return a preset
     */
    public Preset withImageSize(int height, int width) {
        return new Preset(name, description, configuration.withImageSize(height, width), recipe);
    }
}
