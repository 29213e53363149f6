package org.slotwise.data.file;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What made the features of a {@link FeatureCache}. Features of another origin are never mistaken
 * for them.
 *
 * @param extractor everything that decides which features an image has: the description of a
 *     backbone, which has the size of the images and the file's SHA-256, and how images are cropped
 *     and scaled
 * @param images a text for each image, in order, that changes when the image does
 */
public record FeatureOrigin(String extractor, List<String> images) {

    /**
     * Creates the record.
     *
     * @param extractor what decides which features an image has
     * @param images a text for each image; at least one
     * @throws IllegalArgumentException if there are no images
     */
    public FeatureOrigin {
        images = List.copyOf(images);
        if (images.isEmpty()) {
            throw new IllegalArgumentException("FeatureOrigin: there must be at least one image");
        }
    }

    /**
     * The origin of features of image files: each is known by its name, its size in bytes and when
     * it was last changed. Files may move to another folder, all at once.
     *
     * @param extractor what decides which features an image has
     * @param files the images, in order; at least one
     * @return the origin
     * @throws IOException if a file is missing
     * @throws IllegalArgumentException if there are no files
     */
    public static FeatureOrigin ofFiles(String extractor, List<Path> files) throws IOException {
        List<String> images = new ArrayList<>();
        for (Path file : files) {
            BasicFileAttributes known = Files.readAttributes(file, BasicFileAttributes.class);
            images.add(
                    file.getFileName() + ", " + known.size() + " B, " + known.lastModifiedTime());
        }
        return new FeatureOrigin(extractor, images);
    }

    /** The SHA-256 of all that the origin says, hexadecimal. */
    String key() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            update(digest, extractor);
            images.forEach(image -> update(digest, image));
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** With its length, so that texts cannot run into each other. */
    private static void update(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
    }
}
