package org.slotwise.gnm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slotwise.gnm.GnmNetworks.Scene;
import org.slotwise.gnm.GnmNetworks.Stack;
import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;
import org.slotwise.layer.Window;

/**
 * The sizes of a {@link Gnm}.
 *
 * @param picture what is explained
 * @param cells G: a scene is a grid of G x G cells, each with at most one object
 * @param latents the sizes of the latents
 * @param networks the sizes of the networks
 * @param sigma the deviation of a pixel from what is drawn, from 1e-9 to 1e9
 */
public record GnmConfiguration(
        Picture picture, int cells, Latents latents, GnmNetworks networks, double sigma) {

    private static final String WHO = "GnmConfiguration";

    /**
     * Creates a configuration.
     *
     * @param picture what is explained
     * @param cells G, at least 1
     * @param latents the sizes of the latents
     * @param networks the sizes of the networks
     * @param sigma from 1e-9 to 1e9
     * @throws IllegalArgumentException if a number is out of its range, or sizes do not agree
     */
    public GnmConfiguration {
        Limits.count(WHO, "cells", cells, 1, Limits.ITERATIONS);
        Limits.deviation(WHO, "sigma", sigma);
        int side = places(networks.encoder(), picture.size());
        Check.option(
                side == cells,
                WHO
                        + ": the encoder must leave "
                        + (cells + " x " + cells + " of pictures of ")
                        + (picture.size() + " x " + picture.size() + ", got " + side));
        Check.option(
                places(networks.cells(), cells) == cells,
                WHO + ": the convolutions of cells must keep their number");
        Stack map = networks.scene().map();
        Check.option(
                places(map, cells) == cells,
                WHO + ": the convolutions of the scene map must keep the number of cells");
        Check.option(
                map.last() == networks.encoder().last(),
                WHO
                        + ": the scene map must have the encoder's channels, "
                        + (networks.encoder().last() + ", got " + map.last()));
        ends("glimpse", networks.glimpse(), picture.channels() + (picture.hasAlpha() ? 1 : 0));
        ends("background", networks.background(), picture.channels());
        enlarged("glimpse", networks.glimpse());
        Check.option(
                enlarged("background", networks.background()) == picture.size(),
                WHO
                        + ": the background must become as large as the picture, "
                        + (picture.size() + ", got " + enlarged("", networks.background())));
        Limits.numbers(WHO, "cells", cells, cells, picture.size(), picture.size());
    }

    private static int places(Stack stack, int size) {
        long places = size;
        for (int i = 0; i < stack.layers(); i++) {
            places = window(stack, i).places(places);
            Check.option(places > 0, WHO + ": convolution " + i + " leaves nothing of " + size);
        }
        return Math.toIntExact(places);
    }

    static Window window(Stack stack, int layer) {
        int kernel = stack.kernels().get(layer);
        int stride = stack.steps().get(layer);
        return stride == 0 ? Window.valid(kernel) : new Window(kernel, stride, (kernel - 1) / 2);
    }

    private static void ends(String what, Stack stack, int channels) {
        Check.option(
                stack.last() == channels,
                WHO
                        + ": the "
                        + what
                        + " must end in "
                        + channels
                        + " filters, got "
                        + stack.last());
    }

    /** How large one place becomes. */
    private static long enlarged(String what, Stack stack) {
        long size = 1;
        for (int i = 0; i < stack.layers(); i++) {
            Check.option(
                    stack.kernels().get(i) % 2 == 1 && stack.steps().get(i) > 0,
                    WHO + ": kernels of the " + what + " must be odd, and steps at least 1");
            size *= stack.steps().get(i);
            Limits.count(WHO, "size of the " + what, size, 1, Limits.WINDOW);
        }
        return size;
    }

    /** Height and width of a glimpse. */
    int glimpseSize() {
        return Math.toIntExact(enlarged("glimpse", networks.glimpse()));
    }

    /** N. */
    int count() {
        return cells * cells;
    }

    /**
     * What is explained.
     *
     * @param size height and width, at least 1
     * @param channels C, at least 1
     * @param overlap whether objects have an alpha and lie behind each other; without, they are
     *     opaque rectangles that add up, as the authors' models of digits have them
     * @param background whether a background is drawn; without, it is what the buffer {@code
     *     background} holds
     */
    public record Picture(int size, int channels, boolean overlap, boolean background) {

        /**
         * Creates the sizes.
         *
         * @param size at least 1
         * @param channels at least 1
         * @param overlap whether objects have an alpha
         * @param background whether a background is drawn
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Picture {
            Limits.count(WHO + ".Picture", "size", size, 1, Limits.WINDOW);
            Limits.count(WHO + ".Picture", "channels", channels, 1, Limits.WINDOW);
        }

        /** Whether glimpses have an alpha of their own: grey ones never do. */
        boolean hasAlpha() {
            return overlap && channels > 1;
        }
    }

    /**
     * The sizes of the latents.
     *
     * @param scene Zg, of each step of the scene latent
     * @param steps T, how many steps the scene is drawn in
     * @param what Za, of what an object is
     * @param background Zb
     */
    public record Latents(int scene, int steps, int what, int background) {

        /**
         * Creates the sizes.
         *
         * @param scene at least 1
         * @param steps at least 1
         * @param what at least 1
         * @param background at least 1
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Latents {
            String who = WHO + ".Latents";
            Limits.count(who, "scene", scene, 1, Limits.NUMBERS);
            Limits.count(who, "steps", steps, 1, Limits.LAYERS);
            Limits.count(who, "what", what, 1, Limits.NUMBERS);
            Limits.count(who, "background", background, 1, Limits.NUMBERS);
        }
    }

    /**
     * What HHousen's {@code object-discovery-pytorch} trains: pictures of 128 x 128, a grid of 4 x
     * 4.
     *
     * @param sigma 0.2 if it is told nothing, 0.4 for CLEVR, 0.7 for ClevrTex
     * @return a configuration of 8,636,446 parameters
     */
    public static GnmConfiguration objectDiscoveryPytorch(double sigma) {
        Stack encoder =
                Stack.of(
                        List.of(16, 16, 32, 32, 64, 64, 128, 128, 128),
                        List.of(4, 3, 4, 3, 4, 3, 4, 3, 4),
                        List.of(2, 1, 2, 1, 2, 1, 2, 1, 2));
        Stack cells = Stack.of(List.of(128, 128), List.of(1, 1), List.of(1, 1));
        Stack glimpse =
                Stack.of(
                        List.of(128, 64, 32, 16, 8, 4),
                        List.of(3, 3, 3, 3, 3, 3),
                        List.of(2, 2, 2, 2, 2, 2));
        Stack background =
                Stack.of(
                        List.of(128, 64, 32, 16, 8, 3),
                        List.of(1, 1, 1, 1, 1, 3),
                        List.of(4, 2, 4, 2, 2, 1));
        Stack map = Stack.of(List.of(128), List.of(3), List.of(1));
        List<Integer> two = List.of(512, 512);
        Scene scene = new Scene(1, 128, 128, two, two, List.of(512, 1024), 128, map);
        return new GnmConfiguration(
                new Picture(128, 3, true, true),
                4,
                new Latents(32, 4, 64, 10),
                new GnmNetworks(
                        encoder,
                        cells,
                        glimpse,
                        background,
                        scene,
                        List.of(512, 256),
                        List.of(128, 64)),
                sigma);
    }

    /**
     * A small model, that a processor trains in minutes: a grid of 4 x 4, glimpses of a quarter of
     * the picture's size.
     *
     * @param size height and width of pictures: 32, 64 or 128
     * @return a configuration of a few hundred thousand parameters
     * @throws IllegalArgumentException if the size is another
     */
    public static GnmConfiguration small(int size) {
        Check.option(
                size == 32 || size == 64 || size == 128,
                WHO + ": the size of a small model must be 32, 64 or 128, got " + size);
        int halvings = size / 64; // more than for 32: 0, 1 or 2
        List<Integer> filters = new ArrayList<>(Collections.nCopies(halvings, 16));
        List<Integer> kernels = new ArrayList<>(Collections.nCopies(halvings, 4));
        List<Integer> strides = new ArrayList<>(Collections.nCopies(halvings, 2));
        filters.addAll(List.of(16, 16, 32, 32, 32));
        kernels.addAll(List.of(4, 3, 4, 3, 4));
        strides.addAll(List.of(2, 1, 2, 1, 2));
        List<Integer> threes = List.of(3, 3, 3);
        Stack glimpse =
                Stack.of(
                        List.of(32, 16, 4),
                        threes,
                        List.of(size > 32 ? 4 : 2, size > 64 ? 4 : 2, 2));
        Stack background =
                Stack.of(List.of(16, 8, 8, 3), List.of(1, 1, 1, 3), List.of(4, 4, size / 16, 1));
        List<Integer> hidden = List.of(128);
        Stack map = Stack.of(List.of(32), List.of(3), List.of(1));
        return new GnmConfiguration(
                new Picture(size, 3, true, true),
                4,
                new Latents(16, 2, 16, 4),
                new GnmNetworks(
                        Stack.of(filters, kernels, strides),
                        Stack.of(List.of(32, 32), List.of(1, 1), List.of(1, 1)),
                        glimpse,
                        background,
                        new Scene(1, 32, 32, hidden, hidden, hidden, 16, map),
                        List.of(64),
                        List.of(32)),
                0.1);
    }
}
