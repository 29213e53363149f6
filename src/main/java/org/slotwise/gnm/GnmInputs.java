package org.slotwise.gnm;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/** What the inputs of {@link Gnm} must be. */
record GnmInputs(String who, GnmConfiguration sizes) {

    static final String IMAGES = "images";
    private static final String SCENE = "scene";

    void images(NDArray images) {
        Check.present(who, IMAGES, images);
        shape(images.getShape());
        Check.shape(who, IMAGES, images, "B", "C", "S", "S");
        type(IMAGES, images.getDataType());
    }

    /** The bounds of relaxed presence, and the small numbers of the loss, are none in float16. */
    void type(String what, DataType type) {
        Check.option(
                type == DataType.FLOAT32 || type == DataType.FLOAT64,
                who + ": " + what + " must be float32 or float64, got " + Check.name(type));
    }

    void shape(Shape images) {
        int size = sizes.picture().size();
        Check.shape(who, IMAGES, images, "B", sizes.picture().channels(), size, size);
    }

    void batch(long batch) {
        Limits.count(who, "batch", batch, 1, Limits.NUMBERS);
        int size = sizes.picture().size();
        Limits.numbers(who, "scenes", batch, sizes.count(), size, size);
    }

    /** Noise for B images of which so many steps of the scene latent are drawn. */
    void noise(GnmNoise noise, long batch, int drawn, NDArray like) {
        long g = sizes.cells();
        Shaped to = new Shaped(like);
        to.given("background", noise.background(), batch, sizes.latents().background());
        to.given(SCENE, noise.scene(), batch, drawn, sizes.latents().scene());
        to.given("presence", noise.presence(), batch, 1, g, g);
        to.given("where", noise.where(), batch, 4, g, g);
        to.given("depth", noise.depth(), batch, 1, g, g);
        to.given("what", noise.what(), batch, sizes.latents().what(), g, g);
    }

    private final class Shaped {
        private final NDArray like;

        Shaped(NDArray like) {
            this.like = like;
        }

        void given(String what, @Nullable NDArray array, Object... shape) {
            if (array != null) {
                Check.shape(who, GnmNoise.PREFIX + what, array, shape);
                Check.sameTypeAndDevice(
                        who, GnmNoise.PREFIX + what, array, "images or parameters", like);
            }
        }
    }

    /** The latents of the first steps of scenes. */
    void scene(NDArray scene) {
        Check.shape(who, SCENE, scene, "B", "n", sizes.latents().scene());
        type(SCENE, scene.getDataType());
        long n = scene.getShape().get(1);
        Check.option(
                n <= sizes.latents().steps(),
                who + ": scene must have at most " + sizes.latents().steps() + " steps, got " + n);
    }

    void steps(int steps) {
        Limits.count(who, "steps", steps, 0, sizes.latents().steps());
    }
}
