# The operator's image, with nothing in it but the program, the libraries it is linked with, and the certificate
# authorities that it trusts TikTok by:
#
#   docker build -t REGISTRY/tiktok-ads-operator:0.1.0 .
#
# The toolchain is any from Cargo.toml's rust-version on.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin tiktok-ads-operator
# The libraries where the loader looks for them, on every architecture. glibc brings the resolver of names along.
RUN mkdir -p /image \
    && cp target/release/tiktok-ads-operator /image/ \
    && ldd target/release/tiktok-ads-operator | grep -o '/[^ ]*' | xargs -I '{}' cp --dereference --parents '{}' /image/ \
    && cp --dereference --parents /etc/ssl/certs/ca-certificates.crt /image/

FROM scratch
COPY --from=build /image/ /
# A number, because runAsNonRoot asks for one. Nothing is ever written.
USER 65532:65532
ENTRYPOINT ["/tiktok-ads-operator"]
CMD ["run"]
