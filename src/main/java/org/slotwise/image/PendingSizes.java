package org.slotwise.image;

import ai.djl.translate.TranslatorContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The sizes of the images that went into a model and have not come out yet, in the context of a
 * prediction. What comes out has the order of what went in, whether DJL calls for a batch or image
 * by image, and may be called for the one way in and the other way out.
 */
final class PendingSizes {

    private static final String KEY = "org.slotwise.image.sizes";

    /** Images that go through the model together; open while images are added one by one. */
    private static final class Group {
        final Deque<Size> sizes = new ArrayDeque<>();
        boolean open;
    }

    /** Height and width of an image as it came. */
    record Size(int height, int width) {}

    private final Deque<Group> groups = new ArrayDeque<>();

    private PendingSizes() {}

    /** Those of a prediction; none at its start. */
    static PendingSizes of(TranslatorContext ctx) {
        Object known = ctx.getAttachment(KEY);
        if (known == null) {
            known = new PendingSizes();
            ctx.setAttachment(KEY, known);
        }
        return (PendingSizes) known;
    }

    /** An image went in on its own. */
    void add(Size size) {
        Group last = groups.peekLast();
        if (last == null || !last.open) {
            last = new Group();
            last.open = true;
            groups.add(last);
        }
        last.sizes.add(size);
    }

    /** A batch went in, which may be empty. */
    void addBatch(List<Size> sizes) {
        Group group = new Group();
        group.sizes.addAll(sizes);
        groups.add(group);
    }

    /** The image that comes out next. */
    Size next(String who) {
        while (!groups.isEmpty()) {
            Size size = groups.element().sizes.poll();
            if (groups.element().sizes.isEmpty()) {
                groups.remove();
            }
            if (size != null) {
                return size;
            }
        }
        throw missing(who);
    }

    /** The batch that comes out next: one that went in, or what is left of it, or single images. */
    List<Size> nextBatch(String who) {
        Group group = groups.poll();
        if (group == null) {
            throw missing(who);
        }
        return new ArrayList<>(group.sizes);
    }

    private static IllegalStateException missing(String who) {
        return new IllegalStateException(
                who + ": the outputs must come in the context of their inputs");
    }
}
