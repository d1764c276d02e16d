//! Device and CA certificates as registry records (AWS spec 6.6).

use super::Seconds;
use super::Tag;

operation! {
    "Makes a key pair and a certificate for it. The private key is in the answer and nowhere else."
    CreateKeysAndCertificate @ Iot {
        #[serde(default)]
        set_as_active: bool,
    } -> CreateKeysAndCertificateResponse {
        certificate_arn: String,
        certificate_id: String,
        certificate_pem: String,
        key_pair: KeyPair,
    }
}

wire! {
    /// A new key pair in PEM.
    KeyPair {
        #[serde(rename = "PublicKey")]
        public_key: String,
        #[serde(rename = "PrivateKey")]
        private_key: super::Concealed<String>,
    }
}

operation! {
    "Makes a certificate for the key of a signing request."
    CreateCertificateFromCsr @ Iot {
        certificate_signing_request: String,
        #[serde(default)]
        set_as_active: bool,
    } -> CreateCertificateFromCsrResponse {
        certificate_arn: String,
        certificate_id: String,
        certificate_pem: String,
    }
}

operation! {
    "Registers a certificate that a registered CA signed."
    RegisterCertificate @ Iot {
        certificate_pem: String,
        ca_certificate_pem: Option<String>,
        set_as_active: Option<bool>,
        status: Option<String>,
    } -> RegisterCertificateResponse {
        certificate_arn: String,
        certificate_id: String,
    }
}

operation! {
    "Registers a certificate whose CA is not registered."
    RegisterCertificateWithoutCA @ Iot {
        certificate_pem: String,
        status: Option<String>,
    } -> RegisterCertificateWithoutCaResponse {
        certificate_arn: String,
        certificate_id: String,
    }
}

wire! {
    /// Since when and until when a certificate is valid.
    CertificateValidity {
        not_before: Seconds,
        not_after: Seconds,
    }
}

wire! {
    /// How a transfer went.
    TransferData {
        transfer_message: Option<String>,
        reject_reason: Option<String>,
        transfer_date: Option<Seconds>,
        accept_date: Option<Seconds>,
        reject_date: Option<Seconds>,
    }
}

wire! {
    /// A certificate with all that is known of it.
    CertificateDescription {
        certificate_arn: String,
        certificate_id: String,
        ca_certificate_id: Option<String>,
        status: String,
        certificate_pem: Option<String>,
        owned_by: String,
        previous_owned_by: Option<String>,
        creation_date: Seconds,
        last_modified_date: Seconds,
        customer_version: u64,
        transfer_data: Option<TransferData>,
        generation_id: String,
        validity: Option<CertificateValidity>,
        certificate_mode: Option<String>,
    }
}

operation! {
    "Describes a certificate."
    DescribeCertificate @ Iot {
        certificate_id: String,
    } -> DescribeCertificateResponse {
        certificate_description: CertificateDescription,
    }
}

wire! {
    /// A row of the listings of certificates.
    Certificate {
        certificate_arn: String,
        certificate_id: String,
        status: String,
        certificate_mode: Option<String>,
        creation_date: Seconds,
    }
}

operation! {
    "Lists certificates by their date of creation."
    ListCertificates @ Iot {
        page_size: Option<u32>,
        marker: Option<String>,
        #[serde(default)]
        ascending_order: bool,
    } -> ListCertificatesResponse {
        certificates: Vec<Certificate>,
        next_marker: Option<String>,
    }
}

operation! {
    "Lists the certificates that a CA signed."
    ListCertificatesByCA @ Iot {
        ca_certificate_id: String,
        page_size: Option<u32>,
        marker: Option<String>,
        #[serde(default)]
        ascending_order: bool,
    } -> ListCertificatesResponse
}

operation! {
    "Changes a certificate's status."
    UpdateCertificate @ Iot {
        certificate_id: String,
        new_status: String,
    } -> UpdateCertificateResponse {}
}

operation! {
    "Deletes a certificate that is not active and not attached."
    DeleteCertificate @ Iot {
        certificate_id: String,
        #[serde(default)]
        force_delete: bool,
    } -> DeleteCertificateResponse {}
}

operation! {
    "Offers a certificate to another account."
    TransferCertificate @ Iot {
        certificate_id: String,
        target_aws_account: String,
        transfer_message: Option<String>,
    } -> TransferCertificateResponse {
        transferred_certificate_arn: String,
    }
}

operation! {
    "Takes a certificate that was offered."
    AcceptCertificateTransfer @ Iot {
        certificate_id: String,
        #[serde(default)]
        set_as_active: bool,
    } -> AcceptCertificateTransferResponse {}
}

operation! {
    "Declines a certificate that was offered."
    RejectCertificateTransfer @ Iot {
        certificate_id: String,
        reject_reason: Option<String>,
    } -> RejectCertificateTransferResponse {}
}

operation! {
    "Takes back the offer of a certificate."
    CancelCertificateTransfer @ Iot {
        certificate_id: String,
    } -> CancelCertificateTransferResponse {}
}

wire! {
    /// A row of [`ListOutgoingCertificates`].
    OutgoingCertificate {
        certificate_arn: String,
        certificate_id: String,
        transferred_to: String,
        transfer_date: Option<Seconds>,
        transfer_message: Option<String>,
        creation_date: Seconds,
    }
}

operation! {
    "Lists the certificates that are offered to another account and not taken yet."
    ListOutgoingCertificates @ Iot {
        page_size: Option<u32>,
        marker: Option<String>,
        #[serde(default)]
        ascending_order: bool,
    } -> ListOutgoingCertificatesResponse {
        outgoing_certificates: Vec<OutgoingCertificate>,
        next_marker: Option<String>,
    }
}

wire! {
    /// How devices of a CA are provisioned.
    RegistrationConfig {
        template_body: Option<String>,
        role_arn: Option<String>,
        template_name: Option<String>,
    }
}

operation! {
    "Registers a CA certificate."
    RegisterCACertificate @ Iot {
        ca_certificate: String,
        verification_certificate: Option<String>,
        #[serde(default)]
        set_as_active: bool,
        #[serde(default)]
        allow_auto_registration: bool,
        registration_config: Option<RegistrationConfig>,
        tags: Option<Vec<Tag>>,
        certificate_mode: Option<String>,
    } -> RegisterCaCertificateResponse {
        certificate_arn: String,
        certificate_id: String,
    }
}

wire! {
    /// A CA certificate with all that is known of it.
    CaCertificateDescription {
        certificate_arn: String,
        certificate_id: String,
        status: String,
        certificate_pem: Option<String>,
        owned_by: String,
        creation_date: Seconds,
        auto_registration_status: String,
        last_modified_date: Seconds,
        customer_version: u64,
        generation_id: String,
        validity: Option<CertificateValidity>,
        certificate_mode: String,
    }
}

operation! {
    "Describes a CA certificate."
    DescribeCACertificate @ Iot {
        certificate_id: String,
    } -> DescribeCaCertificateResponse {
        certificate_description: CaCertificateDescription,
        registration_config: Option<RegistrationConfig>,
    }
}

operation! {
    "Changes a CA certificate's status or its registration of devices."
    UpdateCACertificate @ Iot {
        certificate_id: String,
        new_status: Option<String>,
        new_auto_registration_status: Option<String>,
        registration_config: Option<RegistrationConfig>,
        #[serde(default)]
        remove_auto_registration: bool,
    } -> UpdateCaCertificateResponse {}
}

operation! {
    "Deletes a CA certificate that is not active."
    DeleteCACertificate @ Iot {
        certificate_id: String,
    } -> DeleteCaCertificateResponse {}
}

wire! {
    /// A row of [`ListCACertificates`].
    CaCertificate {
        certificate_arn: String,
        certificate_id: String,
        status: String,
        creation_date: Seconds,
    }
}

operation! {
    "Lists CA certificates by their date of creation."
    ListCACertificates @ Iot {
        page_size: Option<u32>,
        marker: Option<String>,
        #[serde(default)]
        ascending_order: bool,
        template_name: Option<String>,
    } -> ListCaCertificatesResponse {
        certificates: Vec<CaCertificate>,
        next_marker: Option<String>,
    }
}

operation! {
    "Gives the code that a CA's owner signs to prove that the key is theirs."
    GetRegistrationCode @ Iot {} -> GetRegistrationCodeResponse {
        registration_code: String,
    }
}
